using LoRTA.Onnx.Export.Verifying;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Runtime;

var model = OnnxModel.Load(args[0]);
var map = AttentionMap.Of(CanonicalModel.Of(model));
Console.WriteLine($"{map.Layers.Count} layers, {map.Heads} heads of {map.HeadWidth}");

var result = new Verifier(new OrtEngine()).Compare(model, model, new VerifyOptions());
Console.WriteLine($"largest relative difference {result.MaxRelDiff}, same: {result.Ok}");
