using System.Globalization;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Messages;

namespace LoRTA.Onnx.Training.Data;

/// <summary>Failures of data files and of what is asked of them.</summary>
internal static class DataErrors
{
    public static LortaException NoSpecialToken(string token, string task) =>
        new(
            "LRT504",
            $"The tokenizer has no {token} token, which {task} needs.",
            "Check 'task' and the tokenizer's special_tokens_map.json.");

    public static LortaException NoColumn(string path, int line, string column, IEnumerable<string> existing)
    {
        var names = existing.ToList();
        var near = names.Find(name => name.Equals(column, StringComparison.OrdinalIgnoreCase));
        return AtLine("LRT505", (path, line), $"there is no column '{column}'; there are {string.Join(", ", names)}.",
            (near is null ? "Name the columns under 'data.columns'." : $"Letter case matters: write '{near}' under 'data.columns'.")
                + " Where a model is given without a recipe, the columns of --input are called text and pair.");
    }

    public static LortaException BadLine(string path, int line, string what, Exception? inner = null) =>
        AtLine("LRT506", (path, line), $"{what.TrimEnd('.')}.", "Correct that line, or name the right 'data.format'.", inner);

    public static LortaException UnknownFormat(string path, string? format) =>
        new(
            "LRT507",
            format is null ? $"{path}: the extension does not determine the format." : $"{path}: '{format}' is not a known format.",
            "Set 'data.format' to text, tsv, csv, jsonl, json or fasta. Of rows to predict, --format states it.");

    public static LortaException Empty(string path) =>
        new(
            "LRT508",
            $"{path}: holds no entries.",
            "Check the file: a table needs a row below its header; entries of a text are separated by 'data.separator'.");

    public static LortaException BadLabel(string path, int line, string label, string expected) =>
        AtLine(
            "LRT509",
            (path, line),
            $"the label is '{label}', expected {expected}.",
            "Correct the label, or list the labels by name in order.");

    public static LortaException LabelCount(string path, int line, int labels, int units) =>
        AtLine("LRT510",
            (path, line),
            $"{Plural.Of(labels, "label", "labels")} for {Plural.Of(units, "letter or word", "letters or words")}.",
            "Give one label per letter (as a string of the same length) or per word (both separated by spaces).");

    public static LortaException BadTemplate(string template, string what) =>
        new(
            "LRT511",
            $"The template '{template}' {what}.",
            "Write {column} where a column's text belongs, {{ and }} for braces themselves.");

    public static LortaException NothingLeft(string path, string why) =>
        new(
            "LRT512",
            $"{path}: nothing is left to train on, {why}.",
            "Give more data, or change 'data.maxLength' or 'data.validationFraction'.");

    public static LortaException OtherClasses(int named, int known) =>
        new(
            "LRT514",
            $"data.labels: names {Plural.Of(named, "class", "classes")}, but the model has {Plural.Of(known, "class", "classes")}.",
            "Name the model's classes in the order of its logits.")
        { IsUsage = true };

    public static LortaException NotText(string path, int line, string column, bool ofObjects) =>
        AtLine("LRT515",
            (path, line),
            $"the column '{column}' holds a list{(ofObjects ? " of objects or lists" : string.Empty)}, "
                + "where a text is needed.",
            ofObjects
                ? "Chat data (messages with roles) are not supported yet: write prompt and completion as columns of text, and name both "
                    + "in 'data.template'."
                : "Name a column of texts under 'data.columns' or 'data.template'; a list of words is for token-classification.");

    public static LortaException NoRoom(int maxLength, int special) =>
        new(
            "LRT516",
            string.Create(
                CultureInfo.InvariantCulture,
                $"data.maxLength: {maxLength} leaves no room for text besides the tokenizer's "
                    + $"{Plural.Of(special, "special token", "special tokens")}."),
            "Give a larger data.maxLength.")
        { IsUsage = true };

    public static LortaException TooLong(int maxLength, int positions, string source) =>
        new(
            "LRT519",
            string.Create(CultureInfo.InvariantCulture,
                $"data.maxLength: {maxLength} is more than the {positions} tokens that the model reads ({source})."),
            string.Create(
                CultureInfo.InvariantCulture,
                $"Set data.maxLength to at most {positions}. Without a recipe, pass --max-length {positions}."))
        { IsUsage = true };

    public static LortaException OtherTokenizer(string path, string tokenizer, int token, int vocabulary) =>
        new(
            "LRT520",
            string.Create(CultureInfo.InvariantCulture,
                $"{path}: the tokenizer ({tokenizer}) yields the token id {token}, but the model has only {vocabulary} tokens."),
            "Use the model's own tokenizer: 'tokenizer' in the recipe, or --tokenizer without a recipe.");

    public static LortaException OtherLabels(Value labels) =>
        new(
            "LRT518",
            $"The model's input '{labels}' takes no labels that are known: neither one for each row nor one for each token.",
            "Export the model without its loss, and choose the task that computes it.");

    /// <summary>A row of a table that is shorter or longer than its header.</summary>
    public static LortaException FieldCount(string path, int line, int fields, int columns) =>
        BadLine(path, line, $"{Plural.Of(fields, "field", "fields")}, the header has {columns}");

    private static LortaException AtLine(
        string code, (string Path, int Line) at, string what, string hint, Exception? inner = null) =>
        new(code, string.Create(CultureInfo.InvariantCulture, $"{at.Path}, line {at.Line}: {what}"), hint, inner)
        {
            Origin = new(at.Path, at.Line),
        };
}
