using LoRTA.Onnx.Export;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime;

var model = OnnxModel.Load(args[0]);
var map = AttentionMap.Of(model);
Console.WriteLine($"{map.Layers.Count} layers, {map.Heads} heads of {map.HeadWidth}");

var result = new OrtEngine().Compare(model, model);
Console.WriteLine($"largest relative difference {result.MaxRelDiff}, same: {result.Ok}");
