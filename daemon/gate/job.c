/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/job.h"

#include <assert.h>
#include <stdio.h>

#include "base/err.h"
#include "base/mem.h"

static void on_work(uv_work_t *req)
{
	struct job *j = CONTAINER_OF(req, struct job, work_req);

	err_clear();
	j->rc = j->work(j);
	if (j->rc)
		(void)snprintf(j->text, sizeof j->text, "%s", err_text());
	err_clear();
}

static void on_done(uv_work_t *req, int status)
{
	struct job *j = CONTAINER_OF(req, struct job, work_req);

	assert(status == 0); /* nobody cancels */
	j->busy = false;
	j->done(j);
}

void job_start(uv_loop_t *loop, struct job *j)
{
	assert(!j->busy);
	j->busy = true;
	j->rc = 0;
	j->text[0] = '\0';
	int rc = uv_queue_work(loop, &j->work_req, on_work, on_done);
	assert(rc == 0); /* it fails for a missing callback only */
	(void)rc;
}
