using System.Security.Cryptography;
using ClipOod.Autodiff;
using Microsoft.ML.OnnxRuntime;

namespace ClipOod.Clip;

/// <summary>
/// A ResNet-18 that was trained on the photographs of ImageNet, for photographs where no CLIP weights are at hand: 512 features before its
/// last layer. It has no text tower, so that names say nothing to it. Safe to use from several threads at once.
/// </summary>
/// <remarks>
/// Weights and preprocessing graph are those of the package Microsoft.ML.DnnImageFeaturizer.ResNet18 0.23.1 (MIT; its notices name no source
/// of the model). The graph takes red, green and blue from 0 to 255, turns them round and subtracts a mean image; with torchvision's
/// normalisation in its place the features are of no use. He et al. 2016, "Deep Residual Learning for Image Recognition".
/// </remarks>
public sealed class ResNet18Encoder : ClipEncoder
{
    /// <summary>What commands and saved files call this model.</summary>
    public const string ModelName = "resnet-18";

    private const int Side = 224;
    private const int Features = 512;
    private const string ModelFile = "ResNet18.onnx";
    private const string PreprocessingFile = "ResNetPreprocess.onnx";

    private readonly InferenceSession _preprocessing;
    private readonly InferenceSession _model;

    private ResNet18Encoder(string preprocessing, string model)
        : base(new ClipImageProcessor(Side, mean: [0, 0, 0], standardDeviation: [1 / 255.0, 1 / 255.0, 1 / 255.0]), tokenizer: null, Features, contextLength: 0, vocabularySize: null)
    {
        // The graphs take one image; a batch runs them side by side.
        _preprocessing = Engine.CreateSession(preprocessing, threads: 1);
        _model = Engine.CreateSession(model, threads: 1);
        using FileStream file = File.OpenRead(model);
        ModelHash = Convert.ToHexStringLower(SHA256.HashData(file));
    }

    /// <inheritdoc/>
    public override string ModelHash { get; }

    /// <summary>Loads the model.</summary>
    /// <param name="folder">
    /// The folder of <c>ResNet18.onnx</c> and <c>ResNetPreprocess.onnx</c>; null for the one that the build fills: that of this library, or else
    /// <c>artifacts/notebook</c> of the repository around it.
    /// </param>
    /// <exception cref="FileNotFoundException">A file is missing; the message says how to get it.</exception>
    public static ResNet18Encoder Load(string? folder = null)
    {
        string place = folder ?? Find() ?? throw new FileNotFoundException(
            $"{ModelFile} is missing: it lies neither beside {typeof(ResNet18Encoder).Assembly.Location}, nor in {Environment.CurrentDirectory}, nor in artifacts/notebook of a folder above. "
            + "Build the repository (any clipood command does), or give the folder of the package Microsoft.ML.DnnImageFeaturizer.ResNet18 that holds it.");
        foreach (string name in new[] { PreprocessingFile, ModelFile })
        {
            if (!File.Exists(Path.Combine(place, name)))
            {
                throw new FileNotFoundException($"There is no {name} in {place}, expected it beside {ModelFile} as the build lays it. Build again.", name);
            }
        }

        return new ResNet18Encoder(Path.Combine(place, PreprocessingFile), Path.Combine(place, ModelFile));
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _preprocessing.Dispose();
        _model.Dispose();
    }

    private protected override float[] EncodePixels(Memory<float> pixels, int count)
    {
        float[] features = new float[count * Features];
        Parallel.For(0, count, i =>
        {
            float[] centred = Run(_preprocessing, pixels.Slice(i * ImageProcessor.ValueCount, ImageProcessor.ValueCount));
            Run(_model, centred).CopyTo(features, i * Features);
        });
        return features;
    }

    private protected override float[] EncodeIds(long[] ids, int count, int length) =>
        throw new NotSupportedException("ResNet-18 has no text tower: names say nothing to it. Load a CLIP model for texts.");

    private static float[] Run(InferenceSession session, Memory<float> image)
    {
        using RunOptions options = new();
        using OrtValue input = Engine.Tensor(image, 1, 3, Side, Side);
        using IDisposableReadOnlyCollection<OrtValue> results = session.Run(options, [session.InputNames[0]], [input], [session.OutputNames[0]]);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
    }

    // From where this library lies, or else, where a host loaded it from elsewhere, from the folder that runs.
    private static string? Find()
    {
        foreach (string start in new[] { Path.GetDirectoryName(typeof(ResNet18Encoder).Assembly.Location) ?? "", Environment.CurrentDirectory })
        {
            for (DirectoryInfo? at = start.Length > 0 ? new(start) : null; at is not null; at = at.Parent)
            {
                foreach (string folder in new[] { at.FullName, Path.Combine(at.FullName, "artifacts", "notebook") })
                {
                    if (File.Exists(Path.Combine(folder, ModelFile)))
                    {
                        return folder;
                    }
                }
            }
        }

        return null;
    }
}
