import type { RuleExample } from '../../../core/rule.ts';

const digest = `sha256:${'5d'.repeat(32)}`;

function dockerfile(from: string): string {
  return `${from}\nWORKDIR /srv\nCOPY requirements.txt .\nRUN pip install --require-hashes -r requirements.txt\nCOPY . .\nCMD ["gunicorn", "shop.wsgi"]\n`;
}

function files(
  path: string,
  before: string | undefined,
  after: string,
  others: Record<string, string> = {},
): NonNullable<RuleExample['files']> {
  return {
    before: { ...others, ...(before === undefined ? {} : { [path]: dockerfile(before) }) },
    after: { ...others, [path]: dockerfile(after) },
  };
}

const deployment = (selector: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  template:
    metadata: {labels: {app: cart}}
    spec:
      nodeSelector: {${selector}}
      containers:
        - name: cart
          image: registry.example.net/shop/cart:4.1.0
`;

export const examples: readonly RuleExample[] = [
  {
    name: 'a pinned base becomes a moving tag',
    files: files('cart/Dockerfile', 'FROM python:3.12.7-slim', 'FROM python:latest'),
    expect: [
      {
        resource: 'File/cart/Dockerfile',
        path: 'line:1',
        severity: 'medium',
        confidence: 'determined',
        message: 'moving tag latest',
      },
    ],
  },
  {
    name: 'only a patch version changes',
    files: files('cart/Dockerfile', 'FROM python:3.12.7-slim', 'FROM python:3.12.8-slim'),
    expect: [],
  },
  {
    name: 'the base floated before and still does',
    files: files('cart/Dockerfile', 'FROM python:3', 'FROM python:3-slim'),
    expect: [],
  },
  {
    name: 'a base without tag in the stage that is copied from, and in a stage for tests that nothing uses',
    files: {
      before: {
        'cart/Dockerfile':
          'FROM python:3.12.7 AS build\nFROM node:22.4 AS test\nFROM python:3.12.7-slim\nCOPY --from=build /venv /venv\n',
      },
      after: {
        'cart/Dockerfile':
          'FROM python AS build\nFROM node AS test\nFROM python:3.12.7-slim\nCOPY --from=build /venv /venv\n',
      },
    },
    expect: [{ path: 'line:1', message: 'has no tag' }],
  },
  {
    name: 'the digest is dropped',
    files: files('cart/Dockerfile', `FROM python:3.12.7-slim@${digest}`, 'FROM python:3.12.7-slim'),
    expect: [{ path: 'line:1', severity: 'low', message: 'digest' }],
  },
  {
    name: 'the digest is replaced by a newer one',
    files: files(
      'cart/Dockerfile',
      `FROM python:3.12.7-slim@${digest}`,
      `FROM python:3.12.8-slim@sha256:${'7e'.repeat(32)}`,
    ),
    expect: [],
  },
  {
    name: 'Debian becomes Alpine',
    files: files('cart/Dockerfile', 'FROM python:3.12.7-slim-bookworm', 'FROM python:3.12.7-alpine3.21'),
    expect: [{ path: 'line:1', severity: 'medium', message: 'musl replaces glibc' }],
  },
  {
    name: 'Debian becomes Ubuntu',
    files: files('cart/Dockerfile', 'FROM debian:bookworm-20260101', 'FROM ubuntu:24.04'),
    expect: [{ severity: 'low', message: 'from debian to ubuntu' }],
  },
  {
    name: 'one Debian release to the next',
    files: files('cart/Dockerfile', 'FROM python:3.12.7-slim-bookworm', 'FROM python:3.12.7-slim-trixie'),
    expect: [],
  },
  {
    name: 'production moves to another Python than the Dockerfile for development',
    files: files('cart/Dockerfile.prod', 'FROM python:3.11.9-slim', 'FROM python:3.13.1-slim', {
      'cart/Dockerfile.dev': dockerfile('FROM python:3.11.9'),
    }),
    expect: [
      {
        resource: 'File/cart/Dockerfile.prod',
        path: 'line:1',
        message: 'runs Python 3.13 and cart/Dockerfile.dev Python 3.11',
      },
    ],
  },
  {
    name: 'both variants move together',
    files: {
      before: {
        'cart/Dockerfile': dockerfile('FROM python:3.11.9-slim'),
        'cart/dev/Dockerfile': dockerfile('FROM python:3.11.9'),
      },
      after: {
        'cart/Dockerfile': dockerfile('FROM python:3.13.1-slim'),
        'cart/dev/Dockerfile': dockerfile('FROM python:3.13.1'),
      },
    },
    expect: [],
  },
  {
    name: 'the variants differed before',
    files: files('cart/Dockerfile.prod', 'FROM python:3.12.1-slim', 'FROM python:3.13.1-slim', {
      'cart/Dockerfile.dev': dockerfile('FROM python:3.11.9'),
    }),
    expect: [],
  },
  {
    name: 'the version of one ARG leaves requires-python',
    files: {
      before: {
        'cart/Dockerfile': 'ARG PYTHON=3.12.7\nFROM python:${PYTHON}-slim\n',
        'cart/pyproject.toml': '[project]\nname = "cart"\nrequires-python = ">=3.11,<3.13"\n',
      },
      after: {
        'cart/Dockerfile': 'ARG PYTHON=3.13.1\nFROM python:${PYTHON}-slim\n',
        'cart/pyproject.toml': '[project]\nname = "cart"\nrequires-python = ">=3.11,<3.13"\n',
      },
    },
    expect: [{ path: 'line:2', message: 'requires >=3.11,<3.13' }],
  },
  {
    name: 'requires-python moves along',
    files: {
      before: {
        'cart/Dockerfile': dockerfile('FROM python:3.12.7'),
        'cart/pyproject.toml': '[project]\nrequires-python = "<3.13"\n',
      },
      after: {
        'cart/Dockerfile': dockerfile('FROM python:3.13.1'),
        'cart/pyproject.toml': '[project]\nrequires-python = "<3.14"\n',
      },
    },
    expect: [],
  },
  {
    name: 'the image leaves .python-version behind',
    files: files('Dockerfile', 'FROM python:3.12.7', 'FROM python:3.13.1', { '.python-version': '3.12.7\n' }),
    expect: [{ severity: 'low', message: '.python-version says 3.12' }],
  },
  {
    name: 'a base that is out of support',
    files: files('cart/Dockerfile', 'FROM python:3.12.7-slim-bookworm', 'FROM python:3.8.20-slim-bookworm'),
    expect: [{ path: 'line:1', message: 'past its end of life (python 3.8' }],
  },
  {
    name: 'the base was out of support before',
    files: files('cart/Dockerfile', 'FROM python:3.8.19-slim-bookworm', 'FROM python:3.8.20-slim-bookworm'),
    expect: [],
  },
  {
    name: 'an image for arm64, deployed to amd64 nodes',
    files: files(
      'services/cart/Dockerfile',
      'FROM python:3.12.7-slim',
      'FROM --platform=linux/arm64 python:3.12.7-slim',
    ),
    before: deployment('kubernetes.io/arch: amd64'),
    after: deployment('kubernetes.io/arch: amd64'),
    expect: [{ severity: 'high', message: 'built for arm64' }],
  },
  {
    name: 'an image for arm64, deployed to arm64 nodes',
    files: files(
      'services/cart/Dockerfile',
      'FROM python:3.12.7-slim',
      'FROM --platform=linux/arm64 python:3.12.7-slim',
    ),
    before: deployment('kubernetes.io/arch: arm64'),
    after: deployment('kubernetes.io/arch: arm64'),
    expect: [],
  },
  {
    name: 'a Dockerfile for development floats',
    files: files('cart/Dockerfile.dev', 'FROM python:3.12.7', 'FROM python:latest'),
    expect: [],
  },
  {
    name: 'the Dockerfile is not part of the change',
    files: {
      before: { 'cart/Dockerfile': dockerfile('FROM python'), 'cart/requirements.txt': 'flask==3.1.0\n' },
      after: { 'cart/Dockerfile': dockerfile('FROM python'), 'cart/requirements.txt': 'flask==3.1.1\n' },
    },
    expect: [],
  },
  {
    name: 'two stages of one image with different distributions, as before',
    files: {
      before: {
        'ads/Dockerfile':
          'FROM eclipse-temurin:21.0.5-jdk-noble AS builder\nFROM eclipse-temurin:21.0.5-jre-alpine-3.22\nCOPY --from=builder /app /app\n',
      },
      after: {
        'ads/Dockerfile':
          'FROM eclipse-temurin:21.0.6-jdk-noble AS builder\nFROM eclipse-temurin:21.0.6-jre-alpine-3.22\nCOPY --from=builder /app /app\n',
      },
    },
    expect: [],
  },
  {
    name: 'another version of a line that was out of support before',
    files: files('pay/Dockerfile', 'FROM node:20.19.6-slim', 'FROM node:20.20.0-slim'),
    expect: [],
  },
];
