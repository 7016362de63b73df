// dotnet tool restore && dotnet cake [--target=Train --recipe=models/recipes/sst2.yaml]
var target = Argument("target", "Default");
var configuration = Argument("configuration", "Release");
var solution = "LoRTA.Onnx.sln";

void Lorta(params string[] arguments)
{
    var all = new ProcessArgumentBuilder();
    foreach (var argument in arguments) all.AppendQuoted(argument);
    DotNetRun("cli/LoRTA.Onnx.Cli.csproj", all, new DotNetRunSettings { Configuration = configuration });
}

string Required(string name) => HasArgument(name) ? Argument<string>(name) : throw new CakeException($"This target needs --{name}=…");

Task("Clean").Description("Removes what was built.").Does(() => CleanDirectory("artifacts"));

Task("Lint").Description("Fails where 'dotnet format' would change something.")
    .Does(() =>
    {
        // The benchmarks are not built with the solution (libtorch is large), so their references are resolved by their own project only.
        DotNetFormat(solution, new DotNetFormatSettings { VerifyNoChanges = true, Exclude = { "bench" } });
        DotNetFormat("bench", new DotNetFormatSettings { VerifyNoChanges = true });
    });

Task("Build").Description("Builds everything; warnings are errors.")
    .Does(() => DotNetBuild(solution, new DotNetBuildSettings { Configuration = configuration }));

Task("Test").Description("Runs all tests.").IsDependentOn("Build")
    .Does(() => DotNetTest(solution, new DotNetTestSettings { Configuration = configuration, NoBuild = true }));

Task("Quickstart").Description("The bundled model: train, fold, verify.").Does(() => Lorta("quickstart", "--force"));

Task("Train").Description("--recipe=FILE [--output=RUN]: trains an adapter.")
    .Does(() => Lorta(HasArgument("output") ? ["train", Required("recipe"), "-o", Required("output")] : ["train", Required("recipe")]));

Task("Export").Description("--model=MODEL --adapter=DIR --output=OUT: folds an adapter and verifies the result.")
    .Does(() => Lorta("export", Required("model"), "--adapter", Required("adapter"), "-o", Required("output"), "--verify"));

Task("Bench").Description("Measures; [--filter=*StepTime*].")
    .Does(() => DotNetRun("bench", new ProcessArgumentBuilder().Append("--filter").AppendQuoted(Argument("filter", "*")), new DotNetRunSettings { Configuration = "Release" }));

// The learning rates are the best of a few that were tried; what is not stated is the recipe's: rank 8, α 16, q k v p, 300 steps.
var families = new (string Method, string Recipe, string Settings)[]
{
    ("lorta", "ship-log", "train.optimizer.lr=2e-2"),
    ("lora", "ship-log", "train.optimizer.lr=5e-3"),
    ("lora_fa", "ship-log", "train.optimizer.lr=5e-3"),
    ("vera", "ship-log", "train.optimizer.lr=2e-2"),
    ("nola", "ship-log", "train.optimizer.lr=2e-2"),
    ("lotr", "ship-log", "train.optimizer.lr=5e-3"),
    ("fact_tt", "ship-log", "train.optimizer.lr=5e-3"),
    ("fact_tk", "ship-log", "train.optimizer.lr=5e-3"),
    ("adalora", "ship-log", "train.optimizer.lr=2e-2 adapter.options.target=4 adapter.options.tinit=30 adapter.options.tfinal=100 adapter.options.deltaT=10"),
    ("loretta_rep", "ship-log", "train.optimizer.lr=1e-2"),
    ("dora", "ship-log", "train.optimizer.lr=5e-3"),
    ("loretta_adp", "ship-log", "train.optimizer.lr=5e-3 adapter.targets=[attention,ffn]"),
    ("ia3", "ship-log", "train.optimizer.lr=2e-2 adapter.targets=[k,v,ffn]"),
    ("prefix", "ship-log", "train.optimizer.lr=1e-1 adapter.targets=[k,v]"),
    ("full", "ship-log", "train.optimizer.lr=5e-4 adapter.targets=['*']"),
    ("bitfit", "reviews", "train.optimizer.lr=5e-3 adapter.targets=['*.bias']"),   // the other model has no biases
};

Task("Families").Description("[--methods=lora,vera]: trains every adapter family on a bundled model and prints a table.")
    .Does(() =>
    {
        var chosen = HasArgument("methods") ? Argument<string>("methods").Split(',') : families.Select(family => family.Method);
        var rows = new List<string> { "| method | recipe | trainable parameters | held-out loss | s / step | settings |", "| --- | --- | --- | --- | --- | --- |" };
        DotNetBuild("cli/LoRTA.Onnx.Cli.csproj", new DotNetBuildSettings { Configuration = configuration, Verbosity = DotNetVerbosity.Quiet });
        foreach (var (method, recipe, settings) in families.Where(family => chosen.Contains(family.Method)))
        {
            var arguments = new ProcessArgumentBuilder().Append("run --project cli --no-build -c").Append(configuration).Append("-- train")
                .Append($"models/recipes/{recipe}.yaml --json --quiet --force -o").AppendQuoted($"runs/families/{method}")
                .Append($"--set adapter.method={method}");
            foreach (var setting in settings.Split(' ', StringSplitOptions.RemoveEmptyEntries)) arguments.Append("--set").AppendQuoted(setting);
            var exit = StartProcess("dotnet", new ProcessSettings { Arguments = arguments, RedirectStandardOutput = true }, out var lines);
            if (exit != 0) throw new CakeException($"{method}: exit code {exit}.");
            var result = System.Text.Json.JsonDocument.Parse(string.Join("\n", lines)).RootElement;
            var secondsPerStep = result.GetProperty("seconds").GetDouble() / result.GetProperty("steps").GetInt32();
            rows.Add(FormattableString.Invariant(
                $"| `{method}` | {recipe} | {result.GetProperty("trainable").GetInt64():N0} | {result.GetProperty("loss").GetDouble():F3} | {secondsPerStep:F3} | `{settings}` |"));
        }
        Information(string.Join("\n", rows));
    });

Task("Pack").Description("Makes the NuGet packages and the tool, in artifacts/package.")
    .Does(() => DotNetPack(solution, new DotNetPackSettings { Configuration = configuration }));

Task("Default").Description("Lint, Build, Test.").IsDependentOn("Lint").IsDependentOn("Build").IsDependentOn("Test");

RunTarget(target);
