# What is built in lib/tnl; included by the top Makefile.am.
