# SPDX-License-Identifier: Apache-2.0
FAULT_TESTS += tests/fault/disk-full.sh
EXTRA_DIST += tests/fault/disk-full.sh tests/fault/disk-lib.sh tests/fault/disk-words.py
