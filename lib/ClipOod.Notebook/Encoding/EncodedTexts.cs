using System.Globalization;
using System.Text.Json;
using ClipOod.Autodiff;
using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>Text features of a data set's classes in a folder of feature sets: one prompt, and an ensemble of prompts.</summary>
internal static class EncodedTexts
{
    /// <summary>The metadata entry of the factor from cosines to logits.</summary>
    public const string LogitScaleKey = "logit_scale";

    private const string Single = "text_features";
    private const string Ensemble = "text_features_ensemble";

    /// <summary>The prompts of a data set: CLIP's own where it has some for it, else those for ImageNet.</summary>
    public static (string Single, IReadOnlyList<string> Ensemble) PromptsOf(string name) => name switch
    {
        "cifar10" or "cifar100" => (PromptTemplates.Clip[0], PromptTemplates.Cifar18),
        "food101" => (PromptTemplates.Food101[0], PromptTemplates.ImageNet80),
        _ => (PromptTemplates.Clip[0], PromptTemplates.ImageNet80),
    };

    /// <summary>The file of a data set's texts.</summary>
    public static string PathOf(string folder, string name) => Path.Combine(folder, $"{name}-text.safetensors");

    /// <summary>Encodes the classes, where that is not done.</summary>
    /// <param name="model">The model, with its tokenizer.</param>
    /// <param name="modelName">What to call it.</param>
    /// <param name="name">The name of the data set, which names the file.</param>
    /// <param name="classes">The class names.</param>
    /// <param name="folder">The folder of the feature sets.</param>
    /// <returns>Whether they had to be encoded.</returns>
    /// <exception cref="InvalidOperationException">The model has no tokenizer.</exception>
    /// <exception cref="InvalidDataException">The file is there, of another model or of other classes.</exception>
    public static bool Write(ClipModel model, string modelName, string name, IReadOnlyList<string> classes, string folder)
    {
        (string single, IReadOnlyList<string> ensemble) = PromptsOf(name);
        string path = PathOf(folder, name);
        string[] names = [.. classes.Select(ClassNames.Clean)];
        Dictionary<string, string> metadata = new()
        {
            ["classes"] = JsonSerializer.Serialize(names),
            ["prompt"] = single,
            ["prompt_ensemble"] = string.Join(" | ", ensemble),
            ["source"] = $"Encoded by {modelName} (model {model.ModelHash}); {model.PrecisionName}",
            [LogitScaleKey] = Math.Exp(model.LogitScale.Value.ToDouble()).ToString("R", CultureInfo.InvariantCulture),
            ["model"] = modelName,
            [EncodedSets.ModelHashKey] = model.ModelHash,
            ["precision"] = model.PrecisionName,
        };
        if (File.Exists(path))
        {
            using SafetensorsFile file = Safetensors.Open(path);
            string? other = metadata.Keys.FirstOrDefault(key => key is not ("source" or "model") && file.Metadata.GetValueOrDefault(key) != metadata[key]);
            return other is null ? false : throw new InvalidDataException(
                $"{path} holds text features of another {(other == "classes" ? "list of classes" : other)}. Delete it to encode anew, or give another --output.");
        }

        Directory.CreateDirectory(folder);
        Safetensors.Write(
            path,
            [
                ToTensor(Single, model.EncodeClasses(names, [single])),
                ToTensor(Ensemble, model.EncodeClasses(names, ensemble)),
            ],
            metadata);
        return true;
    }

    /// <summary>Reads text features: those of the single prompt first.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is broken.</exception>
    public static IReadOnlyList<TextFeatures> Load(string path)
    {
        using SafetensorsFile file = Safetensors.Open(path);
        IReadOnlyList<string> classes = FeatureSet.ReadList(file, "classes") ?? throw new InvalidDataException($"{path}: metadata has no 'classes', expected a JSON list of names.");
        TextFeatures Read(string tensor, string prompt) => new(
            FeatureSet.ReadEmbeddings(file, tensor), classes, file.Metadata.GetValueOrDefault(prompt, "{}"), $"{file.Metadata.GetValueOrDefault("source", Path.GetFileName(path))}.");
        return [Read(Single, "prompt"), Read(Ensemble, "prompt_ensemble")];
    }

    private static SafetensorsTensor ToTensor(string name, ClipEncoding encoding) =>
        SafetensorsTensor.FromSingles(name, [encoding.Count, encoding.Width], encoding.Values);
}
