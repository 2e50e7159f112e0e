# SPDX-License-Identifier: Apache-2.0
FAULT_TESTS += tests/fault/kills.sh
EXTRA_DIST += tests/fault/kills.sh \
	tests/fault/kills/client.py tests/fault/kills/content.py tests/fault/kills/journal.py \
	tests/fault/kills/judge.py tests/fault/kills/keep.py tests/fault/kills/killer.py \
	tests/fault/kills/model.py tests/fault/kills/rival.py tests/fault/kills/run.py \
	tests/fault/kills/worker.py
