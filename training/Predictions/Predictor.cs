using System.Globalization;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Data.Readers;
using LoRTA.Onnx.Training.Recipes;
using LoRTA.Onnx.Training.Runs;
using LoRTA.Onnx.Training.Runtime;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Predictions;

/// <summary>Predicts labels or numbers for rows without labels, with the readers, the encoder and the graph that an evaluation
/// uses.</summary>
/// <param name="progress">Told what became of the rows, and how far it is.</param>
internal sealed class Predictor(IProgress<TrainingEvent>? progress)
{
    /// <summary>Predicts, and writes the output whole or not at all.</summary>
    /// <exception cref="LortaException">Anything that does not fit, before anything is written.</exception>
    /// <exception cref="OperationCanceledException">It was stopped; nothing is written.</exception>
    public PredictionReport Run(Recipe given, OrtEngine engine, PredictionOptions options, CancellationToken stop)
    {
        PredictionFile.Check(options.Output, options.Force, [.. options.Inputs, .. FilesOf(given, options, engine.Catalog)]);
        var task = TrainingTasks.Of(engine.Catalog.LossOf(given.Task));
        if (task.Predictions is null) throw PredictionErrors.NotPredicted(given.Model, task.Name);
        progress?.Report(WorkEvent.Uncounted("reading model and rows"));
        var rows = ReadRows(given.Data, options);

        var fitting = given.IsBare ? BareModel.WithColumns(given, rows) : given;
        var (recipe, graph, values, warnings) = TrainingRun.Measured(fitting, options, engine.Catalog);
        var output = graph.Logits!;
        graph.RemoveLoss();
        var context = DataContext.Of(recipe, graph) with { HasLabels = false };
        foreach (var warning in warnings.Append(context.TokenizerWarning).OfType<string>()) Note(TrainingRun.Warning(warning));
        var data = new DataSource(context).Encode(rows);
        Report(options.Input, data.Counts);

        using var runtime = engine.Options.Open(graph, values);
        var predicted = Predict(data, task.Predictions(context.Labels), batch => runtime.Forward(batch)[output], stop);
        CheckFinite(rows, predicted);
        foreach (var note in PredictionFile.Write(options.Output, rows, predicted)) Note(note);
        return new PredictionReport(rows.Count, options.Output, task.Name, data.Counts);
    }

    // What is read: the rows, the model, its tokenizer, the adapter.
    private static IEnumerable<string> FilesOf(Recipe recipe, PredictionOptions options, LortaCatalog catalog) =>
    [
        .. options.ReadContent is null ? [options.Input] : Array.Empty<string>(),
        .. recipe.IsBare ? [recipe.Model] : RecipeFiles.Of(recipe.Resolved(), path: null, catalog),
        .. options.Model is { } other ? [other] : Array.Empty<string>(),
        .. options.Canonical?.Deployed.Files ?? [],
        .. options.Adapter is { } adapter ? StoredAdapters.FilesOf(adapter, catalog) : [],
    ];

    private static IReadOnlyList<DataRow> ReadRows(DataOptions data, PredictionOptions options)
    {
        if (options.ReadContent is not { } read)
            return RowReader.Read(options.Input, options.Format ?? RowReader.FormatOf(options.Input) ?? data.Format, data.Separator);
        var content = read();
        var format = options.Format ?? data.Format ?? RowReader.FormatOf(content) ?? RowReader.FormatOf(data.Train) ?? "tsv";
        return RowReader.Read(options.Input, content, format, data.Separator);
    }

    // In the order of the rows, whatever the order of the batches.
    private IReadOnlyList<PredictedCell>[] Predict(
        DataStream data, IPredictions predictions, Func<Batch, GraphGen.OnnxTensor> evaluate, CancellationToken stop)
    {
        var predicted = new IReadOnlyList<PredictedCell>[data.Count];
        var done = 0;
        foreach (var batch in data.InOrder().Prefetch(2))
        {
            stop.ThrowIfCancellationRequested();
            var samples = batch.Indices.Select(index => data.Samples[index]).ToList();
            foreach (var (index, cells) in batch.Indices.Zip(predictions.Read(evaluate(batch), samples))) predicted[index] = cells;
            done += batch.Rows;
            progress?.Report(new WorkEvent(new WorkProgress("rows predicted", done, data.Count)));
        }
        return predicted;
    }

    private void Report(string input, DataCounts counts)
    {
        Note(string.Create(
            CultureInfo.InvariantCulture, $"{Path.GetFileName(input)}: {counts.Rows:N0} {(counts.Rows == 1 ? "row" : "rows")}"));
        if (counts.Cut > 0)
            Note(string.Create(CultureInfo.InvariantCulture,
                $"{counts.Cut:N0} of {counts.Rows:N0} rows {(counts.Cut == 1 ? "was" : "were")} cut at {counts.MaxLength:N0} tokens"));
        if (counts.Empty > 0)
            Note(string.Create(CultureInfo.InvariantCulture,
                $"{counts.Empty:N0} of {counts.Rows:N0} rows {(counts.Empty == 1 ? "has" : "have")} an empty text"));
    }

    private void Note(string text) => progress?.Report(new NoteEvent(text));

    private static void CheckFinite(IReadOnlyList<DataRow> rows, IReadOnlyList<PredictedCell>[] predicted)
    {
        foreach (var (row, cells) in rows.Zip(predicted))
        {
            if (cells.Any(cell => cell.IsBroken))
                throw PredictionErrors.NotFinite(row.Path, row.Line);
        }
    }
}
