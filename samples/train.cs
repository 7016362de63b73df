// Trains an adapter on the model and data of a recipe, evaluates it, folds it into the model and checks the folded file:
//   dotnet run samples/train.cs -- models/recipes/reviews.yaml artifacts/reviews
#:package LoRTA.Onnx.Training@0.1.0
#:package LoRTA.Onnx.Export@0.1.0
#:package Microsoft.ML.OnnxRuntime@1.31.1
#:property PublishAot=false
using LoRTA.Onnx.Export;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training;

var (recipe, output) = (Recipe.Load(args[0]), args[1]);
var model = OnnxModel.Load(recipe.Model);
var data = RecipeData.Of(recipe, model);
using var engine = new OrtEngine();   // new(new() { Device = "cuda" }) with the Gpu package
using var trainer = new AdapterTrainer(engine, model, new()
{
    Adapter = new() { Method = "lorta", Rank = 8, Alpha = 16, Targets = ["q", "k", "v", "p"] }, Task = "classification",
    Trainables = [new() { Match = "classifier.*", LearningRate = 1e-3 }], Optimizer = new() { LearningRate = 2e-3 },
});
foreach (var happened in trainer.Steps(data.Train, new() { Epochs = 6 }))
    if (happened is StepEvent step && step.Step % 10 == 0) Console.WriteLine($"step {step.Step} of {step.Steps}: loss {step.Loss:F4}");
Console.WriteLine($"accuracy {trainer.Evaluate(data.Validation!).Metrics["accuracy"]:P1}");

var adapter = trainer.ToAdapter();
adapter.Save(Path.Combine(output, "adapter"));
engine.Fold(model, adapter).Save(Path.Combine(output, "merged.onnx"));
var verdict = engine.Compare(model, OnnxModel.Load(Path.Combine(output, "merged.onnx")), new() { Adapter = adapter });
Console.WriteLine($"the folded model differs by {verdict.MaxRelDiff:E1}, same: {verdict.Ok}");
return verdict.Ok ? 0 : 1;
