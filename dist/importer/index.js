import { createRequire as __WEBPACK_EXTERNAL_createRequire } from "module";
/******/ var __webpack_modules__ = ({

/***/ 359:
/***/ ((__webpack_module__, __unused_webpack___webpack_exports__, __nccwpck_require__) => {

__nccwpck_require__.a(__webpack_module__, async (__webpack_handle_async_dependencies__, __webpack_async_result__) => { try {
/* harmony import */ var _images_import_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(281);

await (0,_images_import_js__WEBPACK_IMPORTED_MODULE_0__/* .importImages */ .W)(process.argv.slice(2));

__webpack_async_result__();
} catch(e) { __webpack_async_result__(e); } }, 1);

/***/ }),

/***/ 281:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  W: () => (/* binding */ importImages)
});

// UNUSED EXPORTS: isImportable

;// CONCATENATED MODULE: external "node:child_process"
const external_node_child_process_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:child_process");
;// CONCATENATED MODULE: external "node:events"
const external_node_events_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:events");
;// CONCATENATED MODULE: external "node:fs"
const external_node_fs_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:fs");
;// CONCATENATED MODULE: external "node:fs/promises"
const promises_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:fs/promises");
;// CONCATENATED MODULE: external "node:path"
const external_node_path_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:path");
;// CONCATENATED MODULE: external "node:readline"
const external_node_readline_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:readline");
;// CONCATENATED MODULE: external "node:stream/promises"
const external_node_stream_promises_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:stream/promises");
;// CONCATENATED MODULE: external "node:util"
const external_node_util_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:util");
;// CONCATENATED MODULE: external "node:zlib"
const external_node_zlib_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:zlib");
;// CONCATENATED MODULE: ./build/js/errors.js
/** The message of anything that was thrown, its first letter lowered so that messages nest after a colon. */
function errors_errorMessage(error) {
    const message = textOf(error);
    // "EACCES: permission denied" and "API server" keep their capitals.
    return /^[A-Z][a-z]/.test(message) ? message.charAt(0).toLowerCase() + message.slice(1) : message;
}
function textOf(error) {
    // A connection refused at several addresses is an AggregateError without a message of its own.
    if (error instanceof AggregateError && error.message === '') {
        return error.errors.map(textOf).join(', ');
    }
    if (!(error instanceof Error)) {
        return String(error);
    }
    return error.message || (error.code ?? error.name);
}
/** Bad input: reported before anything is started or changed, never with a log tail. */
class errors_InputError extends (/* unused pure expression or super */ null && (Error)) {
    name = 'InputError';
}

;// CONCATENATED MODULE: ./build/js/exec.js



/**
 * What a program may know of this one's environment: nothing of the job's, which has its tokens in it.
 * By RUNNER_TRACKING_ID the runner finds what a job that was killed left running.
 */
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'LD_LIBRARY_PATH', 'RUNNER_TRACKING_ID'];
/** An environment that has nothing of the job in it. */
function bareEnvironment(names = INHERITED) {
    return Object.fromEntries(names.flatMap((name) => {
        const value = process.env[name];
        return value === undefined ? [] : [[name, value]];
    }));
}
/**
 * Runs a program to its end and returns what it printed on stdout. `argv` is what the program gets: no
 * shell and no command line is involved, so blanks and quotes are what they are.
 * @throws with the command, its exit code and the end of its stderr if it fails
 */
async function run(argv, options = {}) {
    const [program = '', ...args] = argv;
    const { cwd, signal, timeoutMs = 0 } = options;
    try {
        const running = (0,external_node_util_namespaceObject.promisify)(external_node_child_process_namespaceObject.execFile)(program, args, {
            cwd,
            signal,
            timeout: timeoutMs,
            killSignal: 'SIGKILL',
            env: { ...bareEnvironment(), ...options.env },
            maxBuffer: Infinity,
        });
        running.child.stdin?.end();
        return (await running).stdout;
    }
    catch (error) {
        throw new Error(`Failed to run ${argv.join(' ')}: ${reasonOf(error, signal, timeoutMs)}`, { cause: error });
    }
}
function reasonOf(error, signal, timeoutMs) {
    if (signal?.aborted === true) {
        return errors_errorMessage(signal.reason);
    }
    if (error.killed === true) {
        return `it took longer than ${timeoutMs / 1_000} s`;
    }
    const said = (error.stderr ?? '').trim().slice(-2_000);
    if (typeof error.code === 'number') {
        return `exit code ${error.code}: ${said}`;
    }
    return error.signal ? `${error.signal}: ${said}` : errors_errorMessage(error);
}

;// CONCATENATED MODULE: ./build/js/supply/inventory.js


/** What is in `directory`; empty if it is not there. */
async function inventory_inventory(directory) {
    const entries = await (0,promises_namespaceObject.readdir)(directory, { recursive: true, withFileTypes: true }).catch(() => []);
    const described = await Promise.all(entries
        .filter((entry) => !entry.isDirectory())
        .map(async (entry) => {
        const path = (0,external_node_path_namespaceObject.join)(entry.parentPath, entry.name);
        return [path.slice(directory.length + 1), await describe(path)];
    }));
    return Object.fromEntries(described);
}
async function describe(path) {
    const stats = await (0,promises_namespaceObject.lstat)(path);
    return stats.isSymbolicLink() ? await (0,promises_namespaceObject.readlink)(path) : `${stats.size} ${stats.mtimeMs}`;
}
function inventory_isSame(a, b) {
    return (Object.keys(a).length === Object.keys(b).length &&
        Object.entries(a).every(([path, text]) => b[path] === text));
}

;// CONCATENATED MODULE: external "node:crypto"
const external_node_crypto_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:crypto");
;// CONCATENATED MODULE: external "node:os"
const external_node_os_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:os");
;// CONCATENATED MODULE: ./build/js/files.js



/** Whether something is at `path` that can be looked at. */
async function exists(path) {
    return stat(path).then(() => true, () => false);
}
/** What the JSON file at `path` holds; undefined where there is none, or none that is whole. */
async function files_readJson(path) {
    try {
        return JSON.parse(await readFile(path, 'utf8'));
    }
    catch {
        return undefined;
    }
}
/**
 * The user's home directory.
 * @throws InputError where nothing says which it is, as for a user without a name, or it would be relative
 */
function home() {
    try {
        const path = homedir();
        if (path.startsWith('/')) {
            return path;
        }
    }
    catch {
        // No HOME, and no such user in /etc/passwd.
    }
    throw new InputError('HOME: it is not set, or empty; set it to the path of a directory to write to');
}
/** Writes a file for its owner's eyes only. @throws with its path: what the system says names none where a disk is full */
async function writeOwn(path, content) {
    try {
        await writeFile(path, content, { mode: 0o600 });
    }
    catch (error) {
        throw new Error(`Failed to write ${path}: ${errorMessage(error)}`, { cause: error });
    }
}
/** The same, in the place of what was there: whoever reads it finds one or the other, whole. */
async function replaceOwn(path, content) {
    const draft = `${path}.partial`;
    await writeOwn(draft, content);
    await rename(draft, path);
}

;// CONCATENATED MODULE: ./build/js/supply/verify.js


const SHA256 = /^[0-9a-f]{64}$/i;
const READ_BYTES = (/* unused pure expression or super */ null && (4 << 20));
/** @returns the lower-case form, undefined if `text` is not a SHA-256 in hex */
function asSha256(text) {
    return SHA256.test(text) ? text.toLowerCase() : undefined;
}
/** The hashes that sha256sum printed, by file name; lines of any other form are left out. */
function parseSums(text) {
    return Object.fromEntries(text.split('\n').flatMap((line) => {
        // "<hex>  <name>", or "<hex> *<name>" of a file read as binary.
        const [sum = '', name] = line.trim().split(/\s+\*?/);
        const sha256 = asSha256(sum);
        return sha256 === undefined || name === undefined ? [] : [[name, sha256]];
    }));
}
/** In lower-case hex. */
async function verify_sha256Of(path) {
    const hash = createHash('sha256');
    const file = await open(path);
    try {
        const buffer = Buffer.allocUnsafe(READ_BYTES);
        for (;;) {
            const { bytesRead } = await file.read(buffer, 0, READ_BYTES);
            if (bytesRead === 0) {
                return hash.digest('hex');
            }
            hash.update(buffer.subarray(0, bytesRead));
        }
    }
    finally {
        await file.close();
    }
}
/**
 * What to say of a download that is not what it should be.
 * @param head its first bytes: text where a program should be is most often a page of a proxy or a login
 */
function describeMismatch(url, found, expected, head) {
    const isText = head.length > 0 && head.every((byte) => byte >= 0x20 || [9, 10, 13].includes(byte));
    const begins = isText ? `; it begins with ${JSON.stringify(head.toString('latin1'))}` : '';
    return `Failed to verify ${url}: its SHA-256 is ${found}, expected ${expected}${begins}`;
}

;// CONCATENATED MODULE: ./build/js/images/prepared.js







/** In the place of a release's tag in the tool cache. */
const TAG = 'images';
/** Where containerd has them, below its root directory. */
const SNAPSHOTTER = 'io.containerd.snapshotter.v1.overlayfs';
const SNAPSHOTS = (0,external_node_path_namespaceObject.join)(SNAPSHOTTER, 'snapshots');
const BLOBS = (0,external_node_path_namespaceObject.join)('io.containerd.content.v1.content', 'blobs', 'sha256');
/** Its databases: of images and blobs, and of snapshots. */
const DATABASES = [
    (0,external_node_path_namespaceObject.join)('io.containerd.metadata.v1.bolt', 'meta.db'),
    (0,external_node_path_namespaceObject.join)(SNAPSHOTTER, 'metadata.db'),
];
/** Written last: its directory is whole. */
const INDEX = 'index.json';
/**
 * What tells one set of prepared images from another: the bytes of each tar, the k3s that unpacked
 * them, and the kernel and user namespace on which it did, since overlays differ between those.
 */
async function imagesKey(tars, k3s, namespaces) {
    const hashes = await Promise.all(tars.map(sha256Of));
    const kernel = `${process.platform} ${process.arch} ${release()}`;
    return createHash('sha256')
        .update(JSON.stringify([hashes.sort(), k3s, kernel, namespaces.includes('user')]))
        .digest('hex');
}
/** What was prepared in `directory`, if all of it is there, with the sizes and times it had. */
async function findPrepared(directory) {
    const index = (await readJson(join(directory, INDEX)));
    const root = join(directory, 'root');
    if (index === undefined || !isSame(index, await inventory(root))) {
        return undefined;
    }
    // What is not used for long is removed.
    await utimes(directory, new Date(), new Date()).catch(() => undefined);
    return {
        directory: root,
        snapshots: await readdir(join(root, SNAPSHOTS)),
        blobs: await readdir(join(root, BLOBS)),
    };
}

;// CONCATENATED MODULE: ./build/js/images/import.js













/** No kubelet talks to this containerd, and no container is started by it. */
const CONFIG = `version = 3
disabled_plugins = [
  'io.containerd.grpc.v1.cri',
  'io.containerd.cri.v1.images',
  'io.containerd.cri.v1.runtime',
  'io.containerd.nri.v1.nri',
]
`;
const DECOMPRESSORS = [
    [/\.(tar\.gz|tgz)$/i, external_node_zlib_namespaceObject.createGunzip],
    [/\.(tar\.zst|tzst)$/i, external_node_zlib_namespaceObject.createZstdDecompress],
];
/** Whether the importer can read it: k3s takes lz4 and bzip2 as well, Node does not. */
function isImportable(tar) {
    return /\.tar$/i.test(tar) || DECOMPRESSORS.some(([name]) => name.test(tar));
}
/**
 * In namespaces of its own, by k3s's own containerd: imports and unpacks the tars, and copies what is
 * kept of them to `target`. It never saw a cluster, so there is nothing of one in it.
 * @throws with the program that failed, and what it said
 */
async function importImages(argv) {
    const { values, positionals: tars } = (0,external_node_util_namespaceObject.parseArgs)({
        args: [...argv],
        allowPositionals: true,
        options: {
            bin: { type: 'string', default: '' },
            work: { type: 'string', default: '' },
            target: { type: 'string', default: '' },
        },
    });
    const { bin, work, target } = values;
    const root = (0,external_node_path_namespaceObject.join)(work, 'root');
    const socket = (0,external_node_path_namespaceObject.join)(work, 'containerd.sock');
    await (0,promises_namespaceObject.mkdir)(root, { recursive: true });
    await (0,promises_namespaceObject.writeFile)((0,external_node_path_namespaceObject.join)(work, 'config.toml'), CONFIG);
    const containerd = await startContainerd([
        ...[(0,external_node_path_namespaceObject.join)(bin, 'containerd'), '--config', (0,external_node_path_namespaceObject.join)(work, 'config.toml'), '--address', socket],
        ...['--root', root, '--state', (0,external_node_path_namespaceObject.join)(work, 'state')],
    ]);
    try {
        for (const tar of tars) {
            await importTar(tar, [(0,external_node_path_namespaceObject.join)(bin, 'ctr'), '--address', socket, '--namespace', 'k8s.io']);
        }
    }
    finally {
        containerd.kill('SIGTERM');
        await (0,external_node_events_namespaceObject.once)(containerd, 'exit');
    }
    const kept = (0,external_node_path_namespaceObject.join)(target, 'root');
    for (const path of [SNAPSHOTS, BLOBS, ...DATABASES]) {
        await (0,promises_namespaceObject.mkdir)((0,external_node_path_namespaceObject.dirname)((0,external_node_path_namespaceObject.join)(kept, path)), { recursive: true });
        // With owners, times, devices and attributes, of which Node's own copy keeps some.
        await run(['cp', '--archive', (0,external_node_path_namespaceObject.join)(root, path), (0,external_node_path_namespaceObject.join)(kept, path)]);
    }
    await (0,promises_namespaceObject.writeFile)((0,external_node_path_namespaceObject.join)(target, INDEX), JSON.stringify(await inventory_inventory(kept)));
}
/** ctr takes uncompressed archives only. */
async function importTar(tar, ctr) {
    const [program = '', ...args] = [
        ...[...ctr, 'images', 'import', '--local', '--snapshotter', 'overlayfs'],
        // As k3s labels what it imports: the kubelet does not collect it.
        ...['--label', 'io.cri-containerd.pinned=pinned', '-'],
    ];
    const child = (0,external_node_child_process_namespaceObject.spawn)(program, args, { stdio: ['pipe', 'inherit', 'inherit'] });
    const ended = (0,external_node_events_namespaceObject.once)(child, 'exit');
    const decompress = DECOMPRESSORS.find(([name]) => name.test(tar))?.[1];
    const read = decompress === undefined ? [] : [decompress()];
    const fed = (0,external_node_stream_promises_namespaceObject.pipeline)([(0,external_node_fs_namespaceObject.createReadStream)(tar), ...read, child.stdin]).catch((error) => {
        // ctr has no use for what comes after the archive's end mark, or has failed and says so.
        if (error.code !== 'EPIPE') {
            throw new Error(`Failed to read ${tar}: ${errors_errorMessage(error)}`, { cause: error });
        }
    });
    const [[code, signal]] = await Promise.all([ended, fed]);
    if (code !== 0) {
        throw new Error(`Failed to import ${tar}: ctr ended with ${code ?? signal ?? ''}`);
    }
}
/** Returns when it serves, which it says last. */
async function startContainerd(argv) {
    const [program = '', ...args] = argv;
    const child = (0,external_node_child_process_namespaceObject.spawn)(program, args, { stdio: ['ignore', 'inherit', 'pipe'] });
    const said = [];
    await new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('exit', (code, signal) => {
            reject(new Error(`Failed to start containerd: it ended with ${code ?? signal ?? ''}: ${said.slice(-5).join('\n')}`));
        });
        (0,external_node_readline_namespaceObject.createInterface)({ input: child.stderr }).on('line', (line) => {
            console.error(line);
            said.push(line);
            if (line.includes('containerd successfully booted')) {
                resolve();
            }
        });
    });
    return child;
}


/***/ })

/******/ });
/************************************************************************/
/******/ // The module cache
/******/ var __webpack_module_cache__ = {};
/******/ 
/******/ // The require function
/******/ function __nccwpck_require__(moduleId) {
/******/ 	// Check if module is in cache
/******/ 	var cachedModule = __webpack_module_cache__[moduleId];
/******/ 	if (cachedModule !== undefined) {
/******/ 		return cachedModule.exports;
/******/ 	}
/******/ 	// Create a new module (and put it into the cache)
/******/ 	var module = __webpack_module_cache__[moduleId] = {
/******/ 		// no module.id needed
/******/ 		// no module.loaded needed
/******/ 		exports: {}
/******/ 	};
/******/ 
/******/ 	// Execute the module function
/******/ 	var threw = true;
/******/ 	try {
/******/ 		__webpack_modules__[moduleId](module, module.exports, __nccwpck_require__);
/******/ 		threw = false;
/******/ 	} finally {
/******/ 		if(threw) delete __webpack_module_cache__[moduleId];
/******/ 	}
/******/ 
/******/ 	// Return the exports of the module
/******/ 	return module.exports;
/******/ }
/******/ 
/************************************************************************/
/******/ /* webpack/runtime/asset-relocator-loader */
/******/ if (typeof __nccwpck_require__ !== 'undefined') __nccwpck_require__.ab = decodeURIComponent(new URL('.', import.meta.url).pathname).slice(import.meta.url.match(/^file:\/\/\/\w:/) ? 1 : 0, -1) + "/";
/******/ 
/******/ /* webpack/runtime/async module */
/******/ (() => {
/******/ 	var webpackQueues = typeof Symbol === "function" ? Symbol("webpack queues") : "__webpack_queues__";
/******/ 	var webpackExports = typeof Symbol === "function" ? Symbol("webpack exports") : "__webpack_exports__";
/******/ 	var webpackError = typeof Symbol === "function" ? Symbol("webpack error") : "__webpack_error__";
/******/ 	var resolveQueue = (queue) => {
/******/ 		if(queue && queue.d < 1) {
/******/ 			queue.d = 1;
/******/ 			queue.forEach((fn) => (fn.r--));
/******/ 			queue.forEach((fn) => (fn.r-- ? fn.r++ : fn()));
/******/ 		}
/******/ 	}
/******/ 	var wrapDeps = (deps) => (deps.map((dep) => {
/******/ 		if(dep !== null && typeof dep === "object") {
/******/ 			if(dep[webpackQueues]) return dep;
/******/ 			if(dep.then) {
/******/ 				var queue = [];
/******/ 				queue.d = 0;
/******/ 				dep.then((r) => {
/******/ 					obj[webpackExports] = r;
/******/ 					resolveQueue(queue);
/******/ 				}, (e) => {
/******/ 					obj[webpackError] = e;
/******/ 					resolveQueue(queue);
/******/ 				});
/******/ 				var obj = {};
/******/ 				obj[webpackQueues] = (fn) => (fn(queue));
/******/ 				return obj;
/******/ 			}
/******/ 		}
/******/ 		var ret = {};
/******/ 		ret[webpackQueues] = x => {};
/******/ 		ret[webpackExports] = dep;
/******/ 		return ret;
/******/ 	}));
/******/ 	__nccwpck_require__.a = (module, body, hasAwait) => {
/******/ 		var queue;
/******/ 		hasAwait && ((queue = []).d = -1);
/******/ 		var depQueues = new Set();
/******/ 		var exports = module.exports;
/******/ 		var currentDeps;
/******/ 		var outerResolve;
/******/ 		var reject;
/******/ 		var promise = new Promise((resolve, rej) => {
/******/ 			reject = rej;
/******/ 			outerResolve = resolve;
/******/ 		});
/******/ 		promise[webpackExports] = exports;
/******/ 		promise[webpackQueues] = (fn) => (queue && fn(queue), depQueues.forEach(fn), promise["catch"](x => {}));
/******/ 		module.exports = promise;
/******/ 		body((deps) => {
/******/ 			currentDeps = wrapDeps(deps);
/******/ 			var fn;
/******/ 			var getResult = () => (currentDeps.map((d) => {
/******/ 				if(d[webpackError]) throw d[webpackError];
/******/ 				return d[webpackExports];
/******/ 			}))
/******/ 			var promise = new Promise((resolve) => {
/******/ 				fn = () => (resolve(getResult));
/******/ 				fn.r = 0;
/******/ 				var fnQueue = (q) => (q !== queue && !depQueues.has(q) && (depQueues.add(q), q && !q.d && (fn.r++, q.push(fn))));
/******/ 				currentDeps.map((dep) => (dep[webpackQueues](fnQueue)));
/******/ 			});
/******/ 			return fn.r ? promise : getResult();
/******/ 		}, (err) => ((err ? reject(promise[webpackError] = err) : outerResolve(exports)), resolveQueue(queue)));
/******/ 		queue && queue.d < 0 && (queue.d = 0);
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/define property getters */
/******/ (() => {
/******/ 	// define getter functions for harmony exports
/******/ 	__nccwpck_require__.d = (exports, definition) => {
/******/ 		for(var key in definition) {
/******/ 			if(__nccwpck_require__.o(definition, key) && !__nccwpck_require__.o(exports, key)) {
/******/ 				Object.defineProperty(exports, key, { enumerable: true, get: definition[key] });
/******/ 			}
/******/ 		}
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/hasOwnProperty shorthand */
/******/ (() => {
/******/ 	__nccwpck_require__.o = (obj, prop) => (Object.prototype.hasOwnProperty.call(obj, prop))
/******/ })();
/******/ 
/************************************************************************/
/******/ 
/******/ // startup
/******/ // Load entry module and return exports
/******/ // This entry module used 'module' so it can't be inlined
/******/ var __webpack_exports__ = __nccwpck_require__(359);
/******/ __webpack_exports__ = await __webpack_exports__;
/******/ 
