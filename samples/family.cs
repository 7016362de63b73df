// A family, a loss and a gradient rule of your own, in one file: trained, saved, loaded, folded, injected and served with the packages.
//   dotnet run samples/family.cs -- models/roberta-mini artifacts/gain
#:package LoRTA.Onnx.Training@0.1.0
#:package LoRTA.Onnx.Export@0.1.0
#:package Microsoft.ML.OnnxRuntime@1.31.1
#:property PublishAot=false
#:property NoWarn=LRTX01
using LoRTA.Onnx.Export;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Autodiff;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training;

var rules = 0;   // how often ours was used
var catalog = LortaCatalog.Default
    .With(new AdapterFamilyEntry("gain", [], _ => new Gain()))
    .With(Loss.Of("huber", Huber))
    .With(new GradientRule("Gelu", rule => [rule.G * SlopeOfGelu(rule.X)]), replace: true);

using var engine = new OrtEngine(new() { Catalog = catalog });
var model = OnnxModel.Load(args[0]);
using var trainer = new AdapterTrainer(engine, model, new()
{
    Adapter = new() { Method = "gain", Targets = ["q", "v"] },
    Task = "huber",
    Optimizer = new() { LearningRate = 1e-2 },
});
Batch[] batches = [.. Enumerable.Range(0, 8).Select(number => Batch.Padded([Row(number), Row(number + 8), Row(number + 16)], filler: 1))];
var before = trainer.Evaluate(batches).Loss;
var report = trainer.Fit(batches, new() { Epochs = 5 });
var after = trainer.Evaluate(batches).Loss;
Console.WriteLine($"loss {before:F4} before, {after:F4} after {report.Steps} steps; the rule was used {rules} times");

trainer.ToAdapter().Save(Path.Combine(args[1], "adapter"));
var adapter = Adapter.Load(Path.Combine(args[1], "adapter"));
engine.Fold(model, adapter).Save(Path.Combine(args[1], "merged.onnx"));
var verdict = engine.Compare(model, OnnxModel.Load(Path.Combine(args[1], "merged.onnx")), new() { Adapter = adapter });
Console.WriteLine($"the folded model differs by {verdict.MaxRelDiff:E1}, same: {verdict.Ok}");

var beside = engine.Compare(model, engine.Fold(model, adapter, new() { KeepBase = true }).Model, new() { Adapter = adapter });
Console.WriteLine($"the adapter beside the model differs by {beside.MaxRelDiff:E1}, same: {beside.Ok}");

using var host = new AdapterHost(engine, model, adapter.Config.AdapterOptions);
host.Add("gain", adapter);
var (served, trained) = (host.Run("gain", batches[0].Inputs)["logits"].ToFloats(), trainer.Predict(batches[0])["logits"].ToFloats());
var difference = served.Zip(trained, (a, b) => Math.Abs(a - b)).Max();
Console.WriteLine($"the host differs by {difference:E1}");
return verdict.Ok && beside.Ok && after < before && rules > 0 && difference < 1e-4 ? 0 : 1;

// y = x·Φ(x), Φ(x) = (1 + erf(x/√2))/2  ⇒  y′ = Φ(x) + x·e^(−x²/2)/√2π
Expr SlopeOfGelu(Expr x)
{
    rules++;
    var phi = 0.5 * (1 + (x / Math.Sqrt(2)).Op("Erf"));
    return phi + (x * (-0.5 * x * x).Op("Exp") / Math.Sqrt(2 * Math.PI));
}

// Ids and a number that depends on them.
static Example Row(int number) =>
    new([0, .. Enumerable.Range(1, 6).Select(i => 10 + (i * (number + 7) % 200)), 2]) { Number = number % 5 };

// The mean of q²/2 + |d| − q, q = min(|d|, 1), d = first score − label: |d| − q is what |d| is above 1.
static LossValue Huber(LossCall call)
{
    var scores = call.Output(name: null, rank: 2);
    var distance = (scores.Op("ReduceMax", [], ("keepdims", 0)) - call.Labels(ElementType.Float, [call.Batch])).Op("Abs");
    var above = (distance - 1).Op("Relu");
    var near = distance - above;
    return new((0.5 * near * near + above).Op("ReduceMean", [], ("keepdims", 0)), scores);
}

// y∘(1 + s·g) with one vector g [out] for each layer.
sealed class Gain : IAdapterFamily
{
    public string Method => "gain";

    public bool HasRank => false;

    public bool HasDropout => false;

    public IReadOnlyList<Factor> Factors(AdapterSites sites) =>
        [.. sites.All.Select(site => new Factor($"{site.Key}.g", [site.Out], Init.Zero))];

    public Expr Emit(AdapterPoint at, FactorSet f) => at.Y * (1 + (f.Scale * f[at.Site, "g"]));

    public (Expr Weight, Expr? Bias)? Fold(AdapterSite site, Expr weight, Expr? bias, FactorSet f)
    {
        var gain = 1 + (f.Scale * f[site, "g"]);
        return (weight * gain, bias * gain);
    }
}
