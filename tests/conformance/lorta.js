import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** A file of the repository. */
export const repository = (...parts) => join(root, ...parts);

const builds = ['debug', 'release'].map(flavor => repository('artifacts/bin/LoRTA.Onnx.Cli', flavor, 'LoRTA.Onnx.Cli.dll')).filter(existsSync);
/** The command line that was built last. */
export const program = builds.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];

/** Runs the built command line with --json; its document, with the exit code beside it. */
export function lorta(...args) {
    if (!program) throw new Error('lorta is not built: run `dotnet build` in the repository first.');
    return new Promise((resolve, reject) => {
        const child = execFile('dotnet', [program, ...args, '--json'], (error, stdout, stderr) => {
            if (stdout) resolve({ exitCode: child.exitCode, ...JSON.parse(stdout) });
            else reject(new Error(`lorta ${args.join(' ')} ended with ${child.exitCode}: ${stderr || error?.message}`));
        });
    });
}

/** Writes the adapter of a golden, with its factors, for a model; its folder. */
export async function inject(model, output, golden) {
    const options = Object.entries(golden.options).flatMap(([name, value]) => ['--option', `${name}=${value}`]);
    const { adapter } = await lorta('inject', model, '-o', output, '--method', golden.method, '--rank', `${golden.rank}`, '--alpha', `${golden.alpha}`,
        '--targets', golden.targets.join(), '--factors', golden.file, ...options);
    return adapter;
}

/** A folder that goes when the process ends. */
export function temporaryFolder() {
    const folder = mkdtempSync(join(tmpdir(), 'lorta-conformance-'));
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
    return folder;
}
