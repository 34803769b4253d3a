# What is built in lib/ipc; included by the top Makefile.am.
