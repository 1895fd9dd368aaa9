using System.Security.Cryptography;
using ClipOod.Autodiff;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace ClipOod.Clip;

/// <summary>
/// A ready-made export of a CLIP model in the common layout: vision_model.onnx from pixel_values to image_embeds and text_model.onnx from
/// input_ids (and, where asked for, attention_mask) to text_embeds; quantised ones included, as they have the same inputs and outputs.
/// </summary>
public sealed class ClipOnnxModel : ClipEncoder
{
    internal const string VisionFile = "vision_model.onnx";
    internal const string TextFile = "text_model.onnx";

    private readonly InferenceSession _vision;
    private readonly InferenceSession _text;
    private readonly Lazy<string> _hash;

    private ClipOnnxModel(InferenceSession vision, InferenceSession text, ClipImageProcessor processor, ClipTokenizer? tokenizer, int width, int contextLength, string[] files)
        : base(processor, tokenizer, width, contextLength, vocabularySize: null)
    {
        (_vision, _text) = (vision, text);
        _hash = new(() =>
        {
            using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (string file in files)
            {
                using FileStream stream = File.OpenRead(file);
                hash.AppendData(SHA256.HashData(stream));
            }

            return Convert.ToHexStringLower(hash.GetHashAndReset());
        });
    }

    /// <summary>SHA-256 over those of the two files.</summary>
    public override string ModelHash => _hash.Value;

    /// <summary>Loads both models.</summary>
    /// <param name="visionPath">The image model, such as vision_model.onnx or vision_model_quantized.onnx.</param>
    /// <param name="textPath">The text model.</param>
    /// <param name="tokenizer">The tokenizer, for <see cref="ClipEncoder.EncodeTexts"/>.</param>
    /// <param name="processor">The preprocessing; null for CLIP's at the size that the image model says, 224 where it says none.</param>
    /// <param name="contextLength">Tokens of a row, where the text model does not say them.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">A model lacks an input or output of the layout, or the image model's size is not the processor's.</exception>
    public static ClipOnnxModel Load(
        string visionPath, string textPath, ClipTokenizer? tokenizer = null, ClipImageProcessor? processor = null, int contextLength = ClipTokenizer.DefaultContextLength)
    {
        InferenceSession vision = Open(visionPath);
        InferenceSession? text = null;
        try
        {
            text = Open(textPath);
            int[] pixels = Metadata(visionPath, vision.InputMetadata, "input", "pixel_values").Dimensions;
            int[] images = Metadata(visionPath, vision.OutputMetadata, "output", "image_embeds").Dimensions;
            int[] ids = Metadata(textPath, text.InputMetadata, "input", "input_ids").Dimensions;
            int[] texts = Metadata(textPath, text.OutputMetadata, "output", "text_embeds").Dimensions;
            int size = pixels.Length == 4 ? pixels[3] : throw new InvalidDataException($"{visionPath}: pixel_values has {pixels.Length} axes, expected (batch, 3, size, size).");
            processor ??= size > 0 ? new ClipImageProcessor(size) : new ClipImageProcessor();
            if (size > 0 && size != processor.Size)
            {
                throw new InvalidDataException($"{visionPath}: the model takes images of {size} pixels, the preprocessing makes {processor.Size}.");
            }

            if (images[^1] < 1 || texts[^1] != images[^1])
            {
                throw new InvalidDataException($"{visionPath}: features are {images[^1]} wide, those of {textPath} {texts[^1]}; expected equal widths that the models state.");
            }

            return new ClipOnnxModel(vision, text, processor, tokenizer, images[^1], ids[^1] > 0 ? ids[^1] : contextLength, [visionPath, textPath]);
        }
        catch
        {
            vision.Dispose();
            text?.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _vision.Dispose();
        _text.Dispose();
    }

    private protected override float[] EncodePixels(Memory<float> pixels, int count)
    {
        using OrtValue input = Engine.Tensor(pixels, count, 3, ImageProcessor.Size, ImageProcessor.Size);
        return Run(_vision, new() { ["pixel_values"] = input }, "image_embeds");
    }

    private protected override float[] EncodeIds(long[] ids, int count, int length)
    {
        // Exports with a fixed length, and quantised ones whose ranges were taken so, get full rows; the end token is where the feature is read.
        long[] rows = new long[count * ContextLength];
        long[] mask = new long[rows.Length];
        for (int row = 0; row < count; row++)
        {
            Span<long> used = ids.AsSpan(row * length, length);
            used.CopyTo(rows.AsSpan(row * ContextLength));
            mask.AsSpan(row * ContextLength, used.IndexOf(System.Numerics.Tensors.TensorPrimitives.Max<long>(used)) + 1).Fill(1);
        }

        Dictionary<string, OrtValue> inputs = new() { ["input_ids"] = Ids(rows, count) };
        if (_text.InputMetadata.ContainsKey("attention_mask"))
        {
            inputs.Add("attention_mask", Ids(mask, count));
        }

        try
        {
            return Run(_text, inputs, "text_embeds");
        }
        finally
        {
            foreach (OrtValue input in inputs.Values)
            {
                input.Dispose();
            }
        }
    }

    private OrtValue Ids(long[] values, int count) => _text.InputMetadata["input_ids"].ElementDataType == TensorElementType.Int32
        ? Engine.Tensor<int>(Array.ConvertAll(values, value => (int)value), count, ContextLength)
        : Engine.Tensor<long>(values, count, ContextLength);

    private static float[] Run(InferenceSession session, Dictionary<string, OrtValue> inputs, string output)
    {
        using RunOptions options = new();
        using IDisposableReadOnlyCollection<OrtValue> results = session.Run(options, inputs, [output]);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
    }

    private static InferenceSession Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"There is no model '{path}'.", path);
        }

        try
        {
            return Engine.CreateSession(path);
        }
        catch (OnnxRuntimeException error)
        {
            throw new InvalidDataException($"{path}: ONNX Runtime refuses the model: {error.Message}", error);
        }
    }

    private static NodeMetadata Metadata(string path, IReadOnlyDictionary<string, NodeMetadata> there, string kind, string name) =>
        there.TryGetValue(name, out NodeMetadata? found)
            ? found
            : throw new InvalidDataException($"{path}: the model has no {kind} '{name}', it has: {string.Join(", ", there.Keys.Order(StringComparer.Ordinal))}.");
}
