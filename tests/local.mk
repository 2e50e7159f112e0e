# SPDX-License-Identifier: Apache-2.0
include tests/unit/base.mk
include tests/unit/wire.mk
include tests/unit/age.mk
include tests/unit/tlog.mk
include tests/unit/keep.mk
include tests/unit/gate.mk
include tests/talk/local.mk
include tests/house/local.mk
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
