import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const executables = [process.env.CHROMIUM, '/usr/bin/chromium-headless-shell', '/usr/bin/chromium', '/usr/bin/google-chrome'];

/** A headless Chromium that reaches this machine only. Its adapter for WebGPU computes in software (SwiftShader), on any machine. */
export function openChromium() {
    const executablePath = executables.find(path => path && existsSync(path));
    if (!executablePath) throw new Error('No Chromium: install chromium-headless-shell, or name one in CHROMIUM.');
    return chromium.launch({
        executablePath,
        args: [
            '--no-sandbox',   // the user may be root
            '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader',
            '--js-flags=--liftoff-only',   // compiling WebAssembly well takes longer than what is computed here
            '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
        ],
    });
}
