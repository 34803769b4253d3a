# What is built in lib/base; included by the top Makefile.am.
