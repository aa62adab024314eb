// MICROPYTHON32="node tests/benchmarks/micropython32.mjs": a 32-bit MicroPython where there is no other.
// `node micropython32.mjs script.py` copies the folder it runs in and runs the script there, then its
// generator `steps`, collecting garbage in between: this port cannot while Python code runs.
// Needs @micropython/micropython-webassembly-pyscript, in node_modules beside it or in NODE_MODULES.
import fs from 'fs';
import path from 'path';
import { createRequire } from 'module';
const require = createRequire(path.join(process.env.NODE_MODULES || import.meta.dirname, 'x.js'));
const { loadMicroPython } = await import(require.resolve('@micropython/micropython-webassembly-pyscript'));
const mp = await loadMicroPython({ heapsize: 1024 * 1024, stdout: (line) => console.log(line), linebuffer: true });
function copy(from, to) {
  mp.FS.mkdir(to);
  for (const name of fs.readdirSync(from)) {
    const [source, target] = [path.join(from, name), to + '/' + name];
    if (fs.statSync(source).isDirectory()) copy(source, target);
    else mp.FS.writeFile(target, fs.readFileSync(source));
  }
}
copy('.', '/work');
mp.FS.chdir('/work');
mp.runPython(fs.readFileSync(process.argv[2], 'utf8'));
do {
  mp.runPython('import gc; gc.collect()');
  mp.runPython('_more = next(steps, 0) is None');
} while (mp.globals.get('_more'));
