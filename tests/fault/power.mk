# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/fault/power-look
tests_fault_power_look_SOURCES = tests/fault/power_look.c
tests_fault_power_look_CFLAGS = $(libkeep_a_CFLAGS)
tests_fault_power_look_LDADD = $(keep_LIBS)
FAULT_TESTS += tests/fault/power.sh
EXTRA_DIST += tests/fault/power.sh tests/fault/power_again.py tests/fault/power_client.py \
	tests/fault/power_drive.py tests/fault/power_model.py tests/fault/power_replay.py
