# SPDX-License-Identifier: Apache-2.0
# Simple before complex, so that the first failure is the diagnosis.
include tests/unit/base.mk
include tests/unit/wire.mk
include tests/unit/age.mk
include tests/unit/tlog.mk
include tests/unit/ctl.mk
include tests/unit/client.mk
include tests/unit/keep.mk
include tests/unit/gate.mk
include tests/house/local.mk
include tests/talk/local.mk
include tests/talk/client.mk
include tests/fault/local.mk

if HAVE_CMOCKA
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
else
TESTS += tests/unit/needs-cmocka.sh
endif
EXTRA_DIST += tests/unit/needs-cmocka.sh

TESTS += $(HOUSE_TESTS) $(TALK_TESTS) $(FAULT_TESTS)
EXTRA_DIST += $(HOUSE_TESTS) $(TALK_TESTS)
