# SPDX-License-Identifier: Apache-2.0
# Test builds of both programs: the shipped ones' objects, and the lab between them and the
# system. See lab.h and lab.sh.
lab_sources = \
	tests/fault/lab.h \
	tests/fault/lab_calls.c \
	tests/fault/lab_faults.c \
	tests/fault/lab_seals.c \
	tests/fault/lab_steer.c \
	tests/fault/lab_trace.c
lab_ldflags = $(AM_LDFLAGS) -Wl,--wrap=age_stream_seal,--wrap=age_aead_seal

# Without the fortified C library's headers, which have inline functions of the names that are
# made here, and without sanitizers, whose own start already calls these functions.
check_PROGRAMS += lab/dropkeepd lab/dropkeep-gate
lab_dropkeepd_SOURCES = $(dropkeepd_SOURCES) $(lab_sources)
lab_dropkeepd_CFLAGS = $(dropkeepd_CFLAGS) -U_FORTIFY_SOURCE -fno-sanitize=all
lab_dropkeepd_LDFLAGS = $(lab_ldflags)
lab_dropkeepd_LDADD = $(dropkeepd_LDADD)
lab_dropkeep_gate_SOURCES = $(dropkeep_gate_SOURCES) $(lab_sources)
lab_dropkeep_gate_CFLAGS = $(dropkeep_gate_CFLAGS) -U_FORTIFY_SOURCE -fno-sanitize=all
lab_dropkeep_gate_LDFLAGS = $(lab_ldflags)
lab_dropkeep_gate_LDADD = $(dropkeep_gate_LDADD)

FAULT_TESTS += tests/fault/lab-test.sh
EXTRA_DIST += tests/fault/lab.sh tests/fault/lab-test.sh
