using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>A model for images of one's own: the CLIP that one asks for or has, or else a ResNet-18 of photographs; never the model of the drawings unless asked for.</summary>
public sealed class PhotoModel : IDisposable
{
    private PhotoModel(ClipEncoder encoder, string name, string reason) => (Encoder, Name, Reason) = (encoder, name, reason);

    /// <summary>The model.</summary>
    public ClipEncoder Encoder { get; }

    /// <summary>Its name: <see cref="ResNet18Encoder.ModelName"/>, that of the catalogue, or that of its file or folder.</summary>
    public string Name { get; }

    /// <summary>Why this one, in a sentence for readers.</summary>
    public string Reason { get; }

    /// <summary>The model as one that reads text; null where it does not.</summary>
    public ClipModel? Reader => Encoder as ClipModel is { Tokenizer: not null } model ? model : null;

    /// <summary>Loads a model.</summary>
    /// <param name="model">
    /// <see cref="ResNet18Encoder.ModelName"/>, a fetched model such as "openai-vit-b-32", or a file or folder of CLIP weights; null or empty
    /// for the first of the fetched CLIP weights, or else ResNet-18.
    /// </param>
    /// <exception cref="FileNotFoundException">It is not here; the message says how to get it.</exception>
    /// <exception cref="InvalidDataException">The weights are broken, or not those of a CLIP that is supported.</exception>
    public static PhotoModel Open(string? model = null)
    {
        if (model is { Length: > 0 })
        {
            return model == ResNet18Encoder.ModelName
                ? new PhotoModel(ResNet18Encoder.Load(), model, "Model: resnet-18, as asked. It reads no text.")
                : new PhotoModel(LocalModels.Load(model), LocalModels.NameOf(model), $"Model: {LocalModels.NameOf(model)}, as asked.");
        }

        return SourceCatalog.All.FirstOrDefault(entry => entry is { Kind: SourceKind.Weights, Model: not null, IsHere: true }) is { } fetched
            ? new PhotoModel(LocalModels.Load(fetched.Name), fetched.Name, $"Model: {fetched.Name}, the first of the fetched CLIP weights.")
            : new PhotoModel(
                ResNet18Encoder.Load(),
                ResNet18Encoder.ModelName,
                "Model: resnet-18, trained on the photographs of ImageNet, as no CLIP weights are here (to get some: clipood fetch openai-vit-b-32). It reads no text: names of classes say nothing to it.");
    }

    /// <inheritdoc/>
    public void Dispose() => Encoder.Dispose();

    /// <inheritdoc/>
    public override string ToString() => Reason;
}
