#! /bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Makes ./configure and the files it needs, from configure.ac.  Run it once in
# a fresh clone and again when configure.ac changed in a way that make does not
# see by itself.

set -e
cd "$(dirname "$0")"
exec autoreconf --install --force "$@"
