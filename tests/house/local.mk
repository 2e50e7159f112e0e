# SPDX-License-Identifier: Apache-2.0
HOUSE_TESTS += \
	tests/house/text.sh \
	tests/house/includes.sh \
	tests/house/sizes.sh \
	tests/house/banned.sh \
	tests/house/format.sh \
	tests/house/shell.sh \
	tests/house/settings.sh \
	tests/house/protocol.sh \
	tests/house/documents.sh \
	tests/house/man.sh \
	tests/house/links.sh \
	tests/house/install.sh
EXTRA_DIST += tests/tap.sh tests/house/lib.sh tests/house/size-exceptions
