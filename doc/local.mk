# SPDX-License-Identifier: Apache-2.0
dist_man_MANS += doc/dropkeep.1 doc/dropkeepd.8 doc/dropkeepctl.8 doc/dropkeepd.conf.5
dist_doc_DATA += README.md CHANGES
dist_doc_DATA += doc/ARCHITECTURE.md doc/RECOVERY.md doc/SECURITY.md
dist_doc_DATA += doc/PROTOCOL.control.md doc/PROTOCOL.https.md doc/PROTOCOL.keep.md doc/PROTOCOL.sftp.md
dist_doc_DATA += doc/notes/0001-where-tiny-files-live.md
dist_doc_DATA += doc/FORMAT.audit.md doc/FORMAT.catalog.md doc/FORMAT.keys.md doc/FORMAT.receipt.md doc/FORMAT.store.md
