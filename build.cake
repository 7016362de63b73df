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

Task("Pack").Description("Makes the NuGet packages and the tool, in artifacts/package.")
    .Does(() => DotNetPack(solution, new DotNetPackSettings { Configuration = configuration }));

Task("Default").Description("Lint, Build, Test.").IsDependentOn("Lint").IsDependentOn("Build").IsDependentOn("Test");

RunTarget(target);
