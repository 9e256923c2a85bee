"""The part of the CoreML model format that VGSL networks need (spec chapter models §7).

Message → field number → field. A field's kind is a scalar (``uint``, ``int``, ``bool``,
``float``, ``double``, ``string``, ``bytes``), ``floats`` (repeated 32 bit floats as one
array) or the name of another message.
"""

from __future__ import annotations

from typing import NamedTuple


class Field(NamedTuple):
    """Name, kind and repetition of a field."""

    name: str
    kind: str
    repeated: bool = False


def _messages(text: str) -> dict[str, dict[int, Field]]:
    """Read declarations ``Message: number name kind[*] | …``."""
    messages = {}
    for line in text.strip().splitlines():
        message, _, fields = line.partition(":")
        table = {}
        for declaration in filter(None, (x.strip() for x in fields.split("|"))):
            number, name, kind = declaration.split()
            table[int(number)] = Field(name, kind.rstrip("*"), kind.endswith("*"))
        messages[message.strip()] = table
    return messages


MESSAGES = _messages(
    """
Model: 1 specificationVersion int | 2 description Description | 500 neuralNetwork Network
Description: 1 input Feature* | 10 output Feature* | 100 metadata Metadata
Metadata: 1 shortDescription string | 100 userDefined Text*
Text: 1 key string | 2 value string
Feature: 1 name string | 3 type FeatureType
FeatureType: 5 multiArrayType ArrayType
ArrayType: 1 shape int* | 2 dataType uint
Network: 1 layers Layer*
Layer: 1 name string | 2 input string* | 3 output string* | 100 convolution Convolution \
| 120 pooling Pooling | 130 activation Activation | 140 innerProduct InnerProduct | 150 embedding Embedding \
| 175 softmax Empty | 310 permute Permute | 420 uniDirectionalLSTM UniLSTM | 430 biDirectionalLSTM BiLSTM | 500 custom Custom
Empty:
Convolution: 1 outputChannels uint | 2 kernelChannels uint | 10 nGroups uint | 20 kernelSize uint* \
| 30 stride uint* | 40 dilationFactor uint* | 51 same Empty | 60 isDeconvolution bool | 70 hasBias bool \
| 90 weights Weights | 91 bias Weights
Pooling: 1 type uint | 10 kernelSize uint* | 20 stride uint* | 31 same Empty | 50 avgPoolExcludePadding bool
Activation: 5 linear Linear | 10 ReLU Empty | 15 leakyReLU LeakyReLU | 30 tanh Empty | 40 sigmoid Empty
Linear: 1 alpha float | 2 beta float
LeakyReLU: 1 alpha float
InnerProduct: 1 inputChannels uint | 2 outputChannels uint | 10 hasBias bool \
| 20 weights Weights | 21 bias Weights
Embedding: 1 inputDim uint | 2 outputChannels uint | 10 hasBias bool | 20 weights Weights | 21 bias Weights
Permute: 1 axis uint*
UniLSTM: 1 inputVectorSize uint | 2 outputVectorSize uint | 10 activations Activation* \
| 15 params LSTMParams | 20 weightParams LSTMWeights | 100 reverseInput bool
BiLSTM: 1 inputVectorSize uint | 2 outputVectorSize uint | 10 activationsForwardLSTM Activation* \
| 11 activationsBackwardLSTM Activation* | 15 params LSTMParams | 20 weightParams LSTMWeights*
LSTMParams: 10 sequenceOutput bool | 20 hasBiasVectors bool | 30 forgetBias bool \
| 40 hasPeepholeVectors bool | 50 coupledInputAndForgetGate bool | 60 cellClipThreshold float
LSTMWeights: 1 inputGateWeightMatrix Weights | 2 forgetGateWeightMatrix Weights \
| 3 blockInputWeightMatrix Weights | 4 outputGateWeightMatrix Weights \
| 20 inputGateRecursionMatrix Weights | 21 forgetGateRecursionMatrix Weights \
| 22 blockInputRecursionMatrix Weights | 23 outputGateRecursionMatrix Weights \
| 40 inputGateBiasVector Weights | 41 forgetGateBiasVector Weights \
| 42 blockInputBiasVector Weights | 43 outputGateBiasVector Weights \
| 60 inputGatePeepholeVector Weights | 61 forgetGatePeepholeVector Weights \
| 62 outputGatePeepholeVector Weights
Weights: 1 floatValue floats | 2 float16Value bytes | 30 rawValue bytes | 40 quantization Empty
Custom: 10 className string | 20 weights Weights* | 30 parameters Parameter* | 40 description string
Parameter: 1 key string | 2 value Value
Value: 10 doubleValue double | 20 stringValue string | 30 intValue int | 40 longValue int | 50 boolValue bool
"""
)

#: values of Feature types
DOUBLE = 65600
#: VGSL gates in the order torch stacks them -> names of the matrices and vectors
GATES = ("inputGate", "forgetGate", "blockInput", "outputGate")
