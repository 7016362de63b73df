// Trains an adapter, folds it into its model and checks the result:
//   dotnet tool restore && dotnet cake [--target=Train --steps=50]
#tool "dotnet:?package=LoRTA.Onnx.Tool&version=0.1.0"
#addin "nuget:?package=Cake.LoRTA&version=0.1.0"

var target = Argument("target", "Verify");
var models = Argument("models", "../../models");
var steps = Argument("steps", 300);
var model = $"{models}/llama-mini";

LortaTrainResult run = null;
LortaExportResult merged = null;

Task("Train").Does(() =>
{
    run = LortaTrain($"{models}/recipes/ship-log.yaml", new LortaTrainSettings
    {
        Output = "artifacts/ship-log",
        Set = { ["train.steps"] = $"{steps}" },
        Resume = true,
    });
    Information("loss {0:F3}, before {1:F3}", run.Loss, run.BaseLoss);
    if (run.Loss >= run.BaseLoss) throw new CakeException("The adapter learned nothing.");
});

Task("Export").IsDependentOn("Train").Does(() =>
{
    merged = LortaExport(model, run.Adapter, "artifacts/merged", new LortaExportSettings { Verify = true, Force = true });
    Information("{0}: {1} bytes, error {2:E1}", merged.Output, merged.BytesWritten, merged.MaxRelDiff);
});

Task("Verify").IsDependentOn("Export").Does(() =>
{
    var verified = LortaVerify(model, merged.Output, new LortaVerifySettings { Adapter = run.Adapter, Samples = 16 });
    Information("differs by {0:E1}, {1:E1} is allowed", verified.MaxRelDiff, verified.Tolerance);
});

RunTarget(target);
