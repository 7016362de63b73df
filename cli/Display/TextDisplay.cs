namespace LoRTA.Onnx.Cli.Display;

/// <summary>Shows a text as it is generated.</summary>
internal sealed class TextDisplay(TextWriter output) : IProgress<string>
{
    public void Report(string value)
    {
        output.Write(value);
        output.Flush();
    }
}
