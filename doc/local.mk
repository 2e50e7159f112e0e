# SPDX-License-Identifier: Apache-2.0
dist_man_MANS += doc/dropkeepd.8 doc/dropkeepctl.8 doc/dropkeepd.conf.5
dist_doc_DATA += doc/PROTOCOL.control.md
dist_doc_DATA += doc/FORMAT.catalog.md doc/FORMAT.keys.md
