# SPDX-License-Identifier: Apache-2.0
# The files name the places of a distribution's package (/usr, /etc, /var, /run), so they
# can be read and checked as they are; installing puts the configured ones in.
EXTRA_DIST += \
	systemd/dropkeepd.service \
	systemd/dropkeepd.socket \
	systemd/dropkeep.sysusers \
	systemd/dropkeep.tmpfiles

set_places = $(SED) \
	-e 's|/usr/sbin/|$(sbindir)/|g' \
	-e 's|/etc/dropkeep|$(sysconfdir)/dropkeep|g' \
	-e 's|/var/lib/dropkeep|$(localstatedir)/lib/dropkeep|g' \
	-e 's|/run/dropkeep|$(runstatedir)/dropkeep|g'

if INSTALL_UNITS
install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(systemdsystemunitdir)' '$(DESTDIR)$(sysusersdir)' '$(DESTDIR)$(tmpfilesdir)'
	$(set_places) $(srcdir)/systemd/dropkeepd.service >'$(DESTDIR)$(systemdsystemunitdir)/dropkeepd.service'
	$(set_places) $(srcdir)/systemd/dropkeepd.socket >'$(DESTDIR)$(systemdsystemunitdir)/dropkeepd.socket'
	$(set_places) $(srcdir)/systemd/dropkeep.sysusers >'$(DESTDIR)$(sysusersdir)/dropkeep.conf'
	$(set_places) $(srcdir)/systemd/dropkeep.tmpfiles >'$(DESTDIR)$(tmpfilesdir)/dropkeep.conf'

uninstall-local:
	rm -f '$(DESTDIR)$(systemdsystemunitdir)/dropkeepd.service' \
		'$(DESTDIR)$(systemdsystemunitdir)/dropkeepd.socket' \
		'$(DESTDIR)$(sysusersdir)/dropkeep.conf' '$(DESTDIR)$(tmpfilesdir)/dropkeep.conf'
endif
