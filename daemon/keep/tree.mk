# SPDX-License-Identifier: Apache-2.0
# Who may do what where: rights, accounts and the tree of files as they show to a principal.
libkeep_a_SOURCES += \
	daemon/keep/access.c daemon/keep/access.h \
	daemon/keep/accounts.c daemon/keep/accounts.h \
	daemon/keep/grants.c daemon/keep/grants.h \
	daemon/keep/node.c daemon/keep/node.h \
	daemon/keep/ssh_key.c daemon/keep/ssh_key.h \
	daemon/keep/tree.h daemon/keep/tree_inside.h \
	daemon/keep/tree_change.c \
	daemon/keep/tree_list.c \
	daemon/keep/tree_rename.c \
	daemon/keep/tree_walk.c
