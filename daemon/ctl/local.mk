# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libctl.a
libctl_a_CPPFLAGS = $(AM_CPPFLAGS) -DSBINDIR='"$(sbindir)"'
libctl_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(JANSSON_CFLAGS)
libctl_a_SOURCES = \
	daemon/ctl/answers.c daemon/ctl/answers.h \
	daemon/ctl/call.c daemon/ctl/call.h \
	daemon/ctl/commands.c \
	daemon/ctl/init.c daemon/ctl/init.h \
	daemon/ctl/run.c daemon/ctl/run.h \
	daemon/ctl/sample.c daemon/ctl/sample.h \
	daemon/ctl/show.c daemon/ctl/show.h \
	daemon/ctl/talk.c daemon/ctl/talk.h \
	daemon/ctl/values.c daemon/ctl/values.h \
	daemon/ctl/verify_log.c daemon/ctl/verify_log.h
ctl_LIBS = libctl.a libage.a libtlog.a $(base_LIBS) $(JANSSON_LIBS)

# What init writes is the sample configuration: its lines as string literals.
daemon/ctl/libctl_a-sample.$(OBJEXT): daemon/ctl/sample_text.inc
daemon/ctl/sample_text.inc: $(top_srcdir)/conf/dropkeepd.conf
	$(AM_V_GEN)$(MKDIR_P) daemon/ctl && \
	$(SED) -e 's/[\\"]/\\&/g' -e 's/^/"/' -e 's/$$/\\n"/' $(top_srcdir)/conf/dropkeepd.conf >$@
CLEANFILES += daemon/ctl/sample_text.inc

sbin_PROGRAMS += dropkeepctl
dropkeepctl_SOURCES = daemon/ctl/main.c
dropkeepctl_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
dropkeepctl_LDADD = $(ctl_LIBS)
