# SPDX-License-Identifier: Apache-2.0
# What must hold when things go wrong. Each test is short in `make check`, and does what it is
# there for at length in `make check-fault` (DROPKEEP_LONG=1), which takes an hour or more.
include tests/fault/lab.mk
include tests/fault/hostile.mk
include tests/fault/disk.mk
include tests/fault/flips.mk
include tests/fault/kills.mk
include tests/fault/power.mk
include tests/fault/resume.mk

check-fault:
	DROPKEEP_LONG=1 DROPKEEP_TEST_SECONDS=$${DROPKEEP_TEST_SECONDS-14400} $(MAKE) check TESTS='$(FAULT_TESTS)'
.PHONY: check-fault
