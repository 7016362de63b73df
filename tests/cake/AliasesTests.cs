using System.Reflection;
using Cake.Core;
using Cake.Core.Annotations;
using LoRTA.Onnx.Cli;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Tests.Shared;

namespace Cake.LoRTA.Tests;

/// <summary>Holds the aliases against the verbs and options that the command has.</summary>
internal sealed class AliasesTests
{
    // What they print is for a shell and for an editor; no build goes on with it.
    private static readonly string[] WithoutAlias = ["completion", "schema"];

    // They change only what a person reads.
    private static readonly string[] WithoutSetting = ["inspect --sites", "methods --table"];

    private static IEnumerable<MethodInfo> Aliases => typeof(LortaAliases).GetMethods(BindingFlags.Public | BindingFlags.Static);

    private static IReadOnlyList<Verb> Verbs => Application.VerbsOf(LortaCatalog.Default);

    private static IEnumerable<string> VerbsWithAlias => Verbs.Select(verb => verb.Command.Name).Except(WithoutAlias);

    [Test]
    public void There_is_an_alias_for_every_verb() =>
        Assert.That(Aliases.Select(VerbOf).Distinct(), Is.EquivalentTo(VerbsWithAlias));

    [TestCaseSource(nameof(VerbsWithAlias))]
    public void A_verb_is_called_with_and_without_settings(string verb)
    {
        var hasSettings = Aliases.Where(alias => VerbOf(alias) == verb).Select(alias => SettingsOf(alias) is not null).Distinct();

        Assert.That(hasSettings, Is.EquivalentTo([true, false]));
    }

    [Test]
    public void Cake_sees_every_alias() =>
        Assert.That(Aliases.Where(alias => alias.GetCustomAttribute<CakeMethodAliasAttribute>() is null || alias.GetParameters()[0].ParameterType != typeof(ICakeContext)), Is.Empty);

    [TestCaseSource(nameof(VerbsWithAlias))]
    public void Every_option_of_a_verb_can_be_set(string verb)
    {
        using var folder = new TestFolder();
        var alias = Aliases.First(one => VerbOf(one) == verb && SettingsOf(one) is not null);
        var command = Verbs.Single(one => one.Command.Name == verb).Command;

        var given = Call(alias, folder).Split(' ').Where(word => word.StartsWith('-'));

        var options = command.Options.Where(option => !option.Hidden).Select(option => option.Aliases.Append(option.Name).MinBy(name => name.Length)!)
            .Concat(["--json", "--quiet"]).Where(option => !WithoutSetting.Contains($"{verb} {option}"));
        Assert.That(given.Distinct(), Is.EquivalentTo(options));
    }

    private static string VerbOf(MethodInfo alias) => alias.Name["Lorta".Length..].ToLowerInvariant();

    private static Type? SettingsOf(MethodInfo alias) =>
        alias.GetParameters()[^1].ParameterType is var last && last.IsSubclassOf(typeof(LortaSettings)) ? last : null;

    // The arguments of a call with every setting.
    private static string Call(MethodInfo alias, TestFolder folder)
    {
        var runner = new RecordingRunner();
        var context = new ScriptContext(folder.Path, runner);
        var settings = (LortaSettings)Activator.CreateInstance(SettingsOf(alias)!)!;
        Fill(settings);
        settings.ToolPath = folder.Write("lorta", string.Empty);
        var arguments = alias.GetParameters()[1..^1].Select(object (parameter) => parameter.Name!);
        Assert.That(() => alias.Invoke(null, [context, .. arguments, settings]), Throws.TargetInvocationException);   // nothing was written
        return runner.Arguments;
    }

    private static void Fill(object settings)
    {
        foreach (var property in settings.GetType().GetProperties().Where(property => property.DeclaringType!.Assembly == typeof(LortaSettings).Assembly))
        {
            switch (property.GetValue(settings))
            {
                case IDictionary<string, string> pairs: pairs["key"] = "value"; break;
                case ICollection<string> words: words.Add("q"); break;
                case LortaAdapterOptions options: Fill(options); break;
                default: property.SetValue(settings, Some(property.PropertyType)); break;
            }
        }
    }

    private static object Some(Type type) =>
        type == typeof(string) ? "x" : type == typeof(bool) ? true : Convert.ChangeType(1, Nullable.GetUnderlyingType(type)!, System.Globalization.CultureInfo.InvariantCulture);
}
