import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const installed = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium', '/usr/bin/google-chrome'];

/** The Chromium to use: the one that CHROMIUM names, else one that is installed. */
export function chromiumFile() {
    const { CHROMIUM: named } = process.env;
    if (named && !existsSync(named)) throw new Error(`CHROMIUM names ${named}: there is no such file.`);
    const file = named || installed.find(path => existsSync(path));
    if (!file) throw new Error('No Chromium: install chromium-headless-shell, or name one in CHROMIUM.');
    return file;
}

/** A headless Chromium that reaches this machine only. Its adapter for WebGPU computes in software (SwiftShader), on any machine. */
export function openChromium() {
    return chromium.launch({
        executablePath: chromiumFile(),
        args: [
            '--no-sandbox',   // the user may be root
            '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader',
            '--js-flags=--liftoff-only',   // compiling WebAssembly well takes longer than what is computed here
            '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
        ],
    });
}
