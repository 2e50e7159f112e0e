// SPDX-License-Identifier: Apache-2.0
// tus-js-client: node tus.mjs URL FILE PATH ABORT-AFTER [UPLOAD-URL]. Sends FILE to PATH, or goes on
// with UPLOAD-URL; with ABORT-AFTER it stops after so many bytes and prints the upload's URL.
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";

const require = createRequire(path.join(process.cwd(), "here.js"));
const tus = require("tus-js-client");
const [url, file, to, abort, uploadUrl] = process.argv.slice(2);
const upload = new tus.Upload(fs.createReadStream(file), {
  endpoint: url + "/uploads",
  uploadUrl: uploadUrl || null,
  uploadSize: fs.statSync(file).size,
  chunkSize: 4000000,
  retryDelays: null,
  headers: { Authorization: "Bearer " + process.env.TOKEN },
  metadata: { path: to },
  onError(error) {
    console.error(String(error));
    process.exit(1);
  },
  onChunkComplete(size, sent) {
    if (Number(abort) && sent >= Number(abort))
      upload.abort().then(() => { console.log(upload.url); process.exit(0); });
  },
  onSuccess() {
    console.log(upload.url);
  },
});
upload.start();
