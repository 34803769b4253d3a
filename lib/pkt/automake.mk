# What is built in lib/pkt; included by the top Makefile.am.
