// Serves a folder on this machine alone: npm start -- [FOLDER] [PORT]
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const types = {
    '.css': 'text/css', '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript',
    '.json': 'application/json', '.txt': 'text/plain', '.wasm': 'application/wasm',
};

/** Serves a folder; the server, listening. Port 0 is any that is free. */
export function serve(folder, port = 0) {
    const root = resolve(folder);
    const server = createServer(({ url }, response) => {
        const file = fileOf(root, url);
        if (!file) return response.writeHead(404).end();
        response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream', 'cache-control': 'no-cache' });
        createReadStream(file).pipe(response);
    });
    return new Promise((done, fail) => server.once('error', fail).listen(port, '127.0.0.1', () => done(server)));
}

// A file inside the folder, or nothing.
function fileOf(folder, url) {
    try {
        const path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
        const file = join(folder, path.endsWith('/') ? `${path}index.html` : path);
        return file.startsWith(join(folder, sep)) && statSync(file).isFile() ? file : undefined;
    } catch {
        return undefined;
    }
}

async function main(folder = fileURLToPath(new URL('site', import.meta.url)), port = '8080') {
    if (!statSync(join(folder, 'index.html'), { throwIfNoEntry: false })) {
        throw new Error(`${folder} is no site: make one with \`npm run site\`.`);
    }
    if (!/^\d+$/.test(port) || Number(port) > 65535) throw new Error(`The port is a number up to 65535, not '${port}'.`);
    try {
        const server = await serve(folder, Number(port));
        console.log(`http://localhost:${server.address().port}/ (stop with Ctrl-C)`);
    } catch (error) {
        throw error.code === 'EADDRINUSE' ? new Error(`The port ${port} is in use: name another, \`npm start -- FOLDER PORT\`.`) : error;
    }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    try {
        await main(...process.argv.slice(2));
    } catch (error) {
        console.error(error.message);
        process.exitCode = 1;
    }
}
