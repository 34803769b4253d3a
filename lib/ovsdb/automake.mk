# What is built in lib/ovsdb; included by the top Makefile.am.
