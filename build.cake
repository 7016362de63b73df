// dotnet tool restore && dotnet cake [--target=Train --recipe=models/recipes/ship-log.yaml --set=train.steps=50 --args="--quiet"]
var target = Argument("target", "Default");
var configuration = Argument("configuration", "Release");
var solution = "LoRTA.Onnx.sln";

// What each target takes beside --configuration. Those that call lorta pass these on, and whatever --args="…" holds.
var usual = "args json quiet threads device";
var takes = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
{
    ["Quickstart"] = $"output {usual}",
    ["Train"] = $"recipe output set force resume seed {usual}",
    ["Evaluate"] = $"recipe adapter model set seed {usual}",
    ["Predict"] = $"subject input output adapter model set force {usual}",
    ["Export"] = $"model adapter output force {usual}",
    ["Verify"] = $"a b adapter seed {usual}",
    ["Inspect"] = "model args json quiet",
    ["Families"] = "methods",
    ["Bench"] = "filter",
};

// Cake ignores arguments that it does not know; a typing error would start a long run with other settings.
void CheckArguments()
{
    var cakes = "target configuration verbosity exclusive dryrun showdescription showtree bootstrap skip-bootstrap version help info";
    var known = takes.GetValueOrDefault(target, string.Empty).Split(' ', StringSplitOptions.RemoveEmptyEntries);
    foreach (var name in Context.Arguments.GetArguments().Keys)
        if (!known.Contains(name) && !cakes.Split(' ').Contains(name))
            throw new CakeException(known.Length == 0
                ? $"--{name}: the target {target} takes no arguments but --configuration."
                : $"--{name}: the target {target} takes {string.Join(", ", known.Select(word => $"--{word}"))}.");
}

void Lorta(params string[] arguments)
{
    var all = new ProcessArgumentBuilder();
    foreach (var argument in arguments) all.AppendQuoted(argument);
    foreach (var setting in Arguments<string>("set", new string[0])) all.Append("--set").AppendQuoted(setting);
    foreach (var name in new[] { "seed", "threads", "device" }) if (HasArgument(name)) all.Append($"--{name}").AppendQuoted(Argument<string>(name));
    foreach (var name in new[] { "force", "resume", "json", "quiet" }) if (HasArgument(name)) all.Append($"--{name}");
    all.Append(Argument("args", string.Empty));
    DotNetRun("cli/LoRTA.Onnx.Cli.csproj", all, new DotNetRunSettings { Configuration = configuration });
}

string Required(string name) => HasArgument(name) ? Argument<string>(name) : throw new CakeException($"This target needs --{name}=…");

string[] Option(string name) => HasArgument(name) ? [$"--{name}", Argument<string>(name)] : [];

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

Task("Quickstart").Description("The bundled model: train, fold, verify.").Does(() => Lorta(["quickstart", "--force", .. Option("output")]));

Task("Train").Description("--recipe=FILE [--output=RUN] [--set=key=value] [--force] [--resume]: trains an adapter.")
    .Does(() => Lorta(["train", Required("recipe"), .. Option("output")]));

Task("Evaluate").Description("--recipe=FILE [--adapter=DIR] [--model=MODEL]: measures on the recipe's validation data.")
    .Does(() => Lorta(["evaluate", Required("recipe"), .. Option("adapter"), .. Option("model")]));

Task("Predict").Description("--subject=RECIPE|MODEL --input=FILE --output=FILE [--adapter=DIR] [--model=MODEL]: labels rows that have none.")
    .Does(() => Lorta(["predict", Required("subject"), "--input", Required("input"), "-o", Required("output"), .. Option("adapter"), .. Option("model")]));

Task("Export").Description("--model=MODEL --adapter=DIR --output=OUT: folds an adapter and verifies the result.")
    .Does(() => Lorta("export", Required("model"), "--adapter", Required("adapter"), "-o", Required("output"), "--verify"));

Task("Verify").Description("--a=MODEL --b=MODEL [--adapter=DIR]: runs two models and compares.")
    .Does(() => Lorta(["verify", Required("a"), Required("b"), .. Option("adapter")]));

Task("Inspect").Description("--model=MODEL: shows what a model is.").Does(() => Lorta("inspect", Required("model")));

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

CheckArguments();
RunTarget(target);
