// The WebAssembly of onnxruntime-web 1.19.2, as its loader imports it.
import factory from './node_modules/onnxruntime-web-training/dist/ort-training-wasm-simd-threaded.mjs';
import { guarded } from '../../samples/browser/page/engines/stackGuard.js';

export default guarded(factory);
