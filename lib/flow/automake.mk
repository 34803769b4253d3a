# What is built in lib/flow; included by the top Makefile.am.
