#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Stands in for all unit tests in a build that was configured without cmocka.
echo '1..0 # SKIP unit tests: libcmocka was not found when configuring; install libcmocka-dev and configure again'
