// Unpack the Chromium that the package carries, and the libraries that a bare system lacks, into the folder named.

import { createReadStream, createWriteStream, mkdirSync } from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { createBrotliDecompress } from "node:zlib";
import tar from "tar-fs";

const packed = fileURLToPath(new URL("../bin/", import.meta.resolve("@sparticuz/chromium")));
const folder = process.argv[2];
mkdirSync(folder, { recursive: true });

const unpack = (name, into) => pipeline(createReadStream(path.join(packed, name)), createBrotliDecompress(), into);

await unpack("chromium.br", createWriteStream(path.join(folder, "chromium"), { mode: 0o755 }));
await unpack("al2023.tar.br", tar.extract(folder)); // lib/: NSS, NSPR, expat
