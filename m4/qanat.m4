dnl SPDX-License-Identifier: Apache-2.0
dnl
dnl Macros of configure.ac that are used more than once.

dnl QANAT_PKG(VARIABLE, MODULE)
dnl
dnl Looks for MODULE by pkg-config and sets VARIABLE_CFLAGS and
dnl VARIABLE_LIBS.  Its include folders become system folders (-isystem), so
dnl that our warnings speak of our own code only.
AC_DEFUN([QANAT_PKG],
  [PKG_CHECK_MODULES([$1], [$2])
   qanat_cflags=
   for qanat_flag in $$1_CFLAGS; do
     case $qanat_flag in
     -I*) qanat_flag="-isystem `echo "$qanat_flag" | sed 's/^-I//'`" ;;
     esac
     qanat_cflags="$qanat_cflags $qanat_flag"
   done
   $1_CFLAGS=$qanat_cflags])

dnl QANAT_SANITIZER(NAME, ARGUMENT, HELP)
dnl
dnl Adds --enable-NAME, which compiles and links with -fsanitize=ARGUMENT.
AC_DEFUN([QANAT_SANITIZER],
  [AC_ARG_ENABLE([$1], [AS_HELP_STRING([--enable-$1], [$3])],
                 [], [enable_$1=no])
   AS_IF([test "x$enable_$1" = xyes],
     [SANITIZER_CFLAGS="$SANITIZER_CFLAGS -fsanitize=$2"])])

dnl QANAT_CC_OPTION(VARIABLE, OPTION)
dnl
dnl Appends OPTION to VARIABLE when the compiler takes it.
AC_DEFUN([QANAT_CC_OPTION],
  [AC_MSG_CHECKING([whether $CC takes $2])
   qanat_save_cflags=$CFLAGS
   CFLAGS="$CFLAGS -Werror $2"
   AC_COMPILE_IFELSE([AC_LANG_PROGRAM],
     [AC_MSG_RESULT([yes]); $1="$$1 $2"],
     [AC_MSG_RESULT([no])])
   CFLAGS=$qanat_save_cflags])
