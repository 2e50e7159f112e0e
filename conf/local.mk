# SPDX-License-Identifier: Apache-2.0
# An example to read: `dropkeepctl init` writes the one that counts.
dist_doc_DATA += conf/dropkeepd.conf
