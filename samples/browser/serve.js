// Serves a folder on this machine alone: npm start -- [FOLDER] [PORT]
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const types = {
    '.css': 'text/css', '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript',
    '.json': 'application/json', '.txt': 'text/plain', '.wasm': 'application/wasm',
};

/** Serves a folder; the server, listening. Port 0 is any that is free. */
export function serve(folder, port = 0) {
    const server = createServer(({ url }, response) => {
        const file = fileOf(folder, url);
        if (!file) return response.writeHead(404).end();
        response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream', 'cache-control': 'no-cache' });
        createReadStream(file).pipe(response);
    });
    return new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', () => resolve(server)));
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const [folder = fileURLToPath(new URL('site', import.meta.url)), port = '8080'] = process.argv.slice(2);
    if (!statSync(join(folder, 'index.html'), { throwIfNoEntry: false })) {
        console.error(`${folder} is no site: make one with \`npm run site\`.`);
        process.exit(1);
    }
    const server = await serve(folder, Number(port));
    console.log(`http://localhost:${server.address().port}/ (stop with Ctrl-C)`);
}
