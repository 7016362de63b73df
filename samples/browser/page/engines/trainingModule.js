// The WebAssembly of onnxruntime-web 1.19.2, as its loader imports it.
import factory from '../vendor/onnxruntime-web-training/ort-training-wasm-simd-threaded.mjs';
import { guarded } from './stackGuard.js';

export default guarded(factory);
