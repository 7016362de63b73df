using System.Text.Json.Serialization.Metadata;
using LoRTA.Onnx.GraphGen.Messages;

namespace LoRTA.Onnx.Training.Recipes.Files;

/// <summary>Names of a recipe's keys, and what a name that is none probably means.</summary>
internal static class RecipeKeys
{
    /// <summary>What other tools call some of the keys, in lower case and without separators.</summary>
    internal static readonly IReadOnlyDictionary<string, string> OtherNames = new (string Key, string Names)[]
    {
        ("model", "modelname modelnameorpath basemodel"),
        ("adapter.method", "pefttype"),
        ("adapter.rank", "r lorar lorarank"),
        ("adapter.alpha", "loraalpha"),
        ("adapter.dropout", "loradropout"),
        ("adapter.targets", "targetmodules loratargetmodules"),
        ("adapter.layers", "layerstotransform"),
        ("adapter.options.rslora", "rslora userslora"),
        ("trainables", "modulestosave"),
        ("data.train", "trainfile dataset"),
        ("data.validation", "evalfile validationfile evaldataset"),
        ("data.maxLength", "maxseqlength cutofflen sequencelength maxseqlen"),
        ("train.optimizer.lr", "learningrate"),
        ("train.batchSize", "perdevicetrainbatchsize microbatchsize bs"),
        ("train.epochs", "numtrainepochs numepochs maxepochs"),
        ("train.steps", "maxsteps numsteps iterations"),
        ("train.gradientAccumulation", "gradientaccumulationsteps accumulategradbatches"),
        ("train.schedule.name", "lrscheduler lrschedulertype scheduler"),
        ("train.keepBest", "loadbestmodelatend"),
        ("output", "outputdir outdir"),
    }.SelectMany(key => key.Names.Split(' ').Select(name => KeyValuePair.Create(name, key.Key))).ToDictionary(StringComparer.Ordinal);

    /// <summary>What is most often set of a section, which takes no value itself.</summary>
    internal static readonly IReadOnlyDictionary<string, IReadOnlyList<string>> UsualKeys =
        new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal)
        {
            ["taskOptions"] = ["taskOptions.probability", "taskOptions.output"],
            ["adapter"] = ["adapter.method"],
            ["data"] = ["data.train", "data.validation"],
            ["data.columns"] = ["data.columns.text", "data.columns.label"],
            ["train"] = ["train.epochs", "train.steps"],
            ["train.optimizer"] = ["train.optimizer.name", "train.optimizer.lr"],
            ["train.schedule"] = ["train.schedule.name"],
            ["train.earlyStop"] = ["train.earlyStop.metric", "train.earlyStop.patience"],
        };

    /// <summary>All keys with a name, sections included, such as <c>train.optimizer.lr</c>; keys of list elements are left out.</summary>
    public static IReadOnlyList<string> All { get; } = [.. KeysOf(typeof(Recipe), string.Empty)];

    /// <summary>The keys that a name is most likely meant to be: one of the same section that is spelled nearly so, else all of the same
    /// name in other sections, else one that other tools call so.</summary>
    /// <param name="name">The name, however its words are separated.</param>
    /// <param name="section">The section that it was looked up in, such as <c>train.optimizer</c>; empty for the recipe itself.</param>
    /// <param name="known">The keys there.</param>
    /// <returns>The whole paths; none where nothing is like it.</returns>
    public static IReadOnlyList<string> Meant(string name, string section = "", IEnumerable<string>? known = null)
    {
        if (Suggestion.For(name, known ?? []) is { } sibling) return [RecipeJson.Join(section, sibling)];
        var plain = Plain(name);
        var same = All.Where(key => Plain(key[(key.LastIndexOf('.') + 1)..]) == plain).ToList();
        return same.Count == 0 && OtherNames.TryGetValue(plain, out var key) ? [key] : same;
    }

    /// <summary>The same as <see cref="Meant"/> for a name that is given a value, which a section does not take: its usual keys
    /// instead.</summary>
    public static IReadOnlyList<string> MeantWithValue(string name, string section = "", IEnumerable<string>? known = null) =>
        [.. Meant(name, section, known).SelectMany(key => UsualKeys.GetValueOrDefault(key, [key]))];

    private static string Plain(string name) =>
        string.Concat(name.Where(char.IsLetterOrDigit)).ToLowerInvariant();

    private static IEnumerable<string> KeysOf(Type type, string path)
    {
        foreach (var property in RecipeJson.Options.GetTypeInfo(type).Properties)
        {
            var key = RecipeJson.Join(path, property.Name);
            yield return key;
            var inner = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            if (RecipeJson.Options.GetTypeInfo(inner).Kind != JsonTypeInfoKind.Object) continue;
            foreach (var nested in KeysOf(inner, key)) yield return nested;
        }
    }
}
