# SPDX-License-Identifier: Apache-2.0
# Uploads and downloads: what local.mk adds is the protocols around them.
libgate_a_SOURCES += \
	daemon/gate/buffers.c daemon/gate/buffers.h \
	daemon/gate/get.c daemon/gate/get.h \
	daemon/gate/job.c daemon/gate/job.h \
	daemon/gate/payload.c daemon/gate/payload.h \
	daemon/gate/put.c daemon/gate/put.h \
	daemon/gate/put_grant.c daemon/gate/put_inside.h daemon/gate/put_lease.c \
	daemon/gate/put_rekey.c daemon/gate/put_store.c daemon/gate/put_work.c daemon/gate/put_write.c \
	daemon/gate/spans.c daemon/gate/spans.h
