using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Messages;

namespace LoRTA.Onnx.Training.Recipes.Files;

/// <summary>Checks option records against the attributes of their properties: ranges, choices, lengths, patterns.</summary>
internal static class OptionChecks
{
    /// <summary>All problems of <paramref name="options"/> and the records in it, in the order of the properties.</summary>
    public static IEnumerable<RecipeProblem> Check(object options, LortaCatalog catalog, string path = "") =>
        from property in RecipeJson.Options.GetTypeInfo(options.GetType()).Properties
        let value = property.Get!(options)
        where value is not null
        from problem in Check(property, (value, catalog), RecipeJson.Join(path, property.Name))
        select problem;

    private static IEnumerable<RecipeProblem> Check(JsonPropertyInfo property, (object Value, LortaCatalog Catalog) given, string path)
    {
        var (value, catalog) = given;
        var elements = value is IEnumerable list and not string ? list.Cast<object>().ToList() : null;
        foreach (var attribute in property.Attributes<LengthAttribute>())
        {
            if (elements is not null && !attribute.IsValid(elements))
                yield return new(path, $"must have {attribute.MinimumLength} elements, has {elements.Count}");
        }
        foreach (var (element, place) in elements?.Select((element, i) => (element, $"{path}.{i}")) ?? [(value, path)])
        {
            if (property.Attributes<Attribute>()
                .Select(attribute => Complaint(attribute, element, catalog))
                .FirstOrDefault(text => text is not null) is { } complaint)
                yield return new(place, complaint);
            if (RecipeJson.Options.GetTypeInfo(element.GetType()).Kind is not JsonTypeInfoKind.Object) continue;
            foreach (var problem in Check(element, catalog, place)) yield return problem;
        }
    }

    private static string? Complaint(Attribute attribute, object value, LortaCatalog catalog) => attribute switch
    {
        ChoiceAttribute choice when value is string word => Complaint(choice, choice.WordsOf(catalog), word),
        RangeAttribute range when !IsWithin(range, value) => $"must be {Display(range)}, was {Display(value)}",
        RegularExpressionAttribute pattern when !pattern.IsValid(value) => $"must have the form {pattern.Pattern}, was '{value}'",
        _ => null,
    };

    private static string? Complaint(ChoiceAttribute choice, IReadOnlyList<string> known, string word)
    {
        var words = string.Join(", ", known);
        if (choice.NotYet.Contains(word, StringComparer.Ordinal)) return $"'{word}' is not supported yet; supported: {words}";
        return known.Contains(word, StringComparer.Ordinal)
            ? null
            : known.Count == 1
                ? $"must be {words}, was '{word}'"
                : $"must be one of {words}, was '{word}'{Suggestion.Sentence(word, known)}";
    }

    private static bool IsWithin(RangeAttribute range, object value)
    {
        var number = ToDouble(value);
        var minimum = ToDouble(range.Minimum);
        var maximum = ToDouble(range.Maximum);
        return double.IsFinite(number)
            && (range.MinimumIsExclusive ? number > minimum : number >= minimum)
            && (range.MaximumIsExclusive ? number < maximum : number <= maximum);
    }

    private static string Display(RangeAttribute range)
    {
        var lower = (range.MinimumIsExclusive ? "> " : ">= ") + Display(range.Minimum);
        var unbounded = ToDouble(range.Maximum) >= int.MaxValue;
        return unbounded ? lower : $"{lower} and {(range.MaximumIsExclusive ? "<" : "<=")} {Display(range.Maximum)}";
    }

    private static string Display(object value) => Convert.ToString(value, CultureInfo.InvariantCulture)!;

    private static double ToDouble(object value) => Convert.ToDouble(value, CultureInfo.InvariantCulture);
}
